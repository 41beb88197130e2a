package seal

// An Account seals the secret access keys of one account with a Keyset. It is what
// package identity seals with.
type Account struct {
	keyset  *Keyset
	account string
}

// OfAccount returns what seals the secret access keys of an account, whose id has
// 12 digits.
func (k *Keyset) OfAccount(account string) Account { return Account{k, account} }

func (a Account) data(owner, accessKeyID string) AssociatedData {
	return AssociatedData{Purpose: SecretAccessKey, Account: a.account, OwnerID: owner, AccessKeyID: accessKeyID}
}

// Seal seals a secret access key, bound to its owner's unique id and to its own id.
func (a Account) Seal(secret []byte, owner, accessKeyID string) ([]byte, error) {
	return a.keyset.Seal(secret, a.data(owner, accessKeyID))
}

// Open opens what Seal returned for the same owner and id.
func (a Account) Open(sealed []byte, owner, accessKeyID string) ([]byte, error) {
	return a.keyset.Open(sealed, a.data(owner, accessKeyID))
}
