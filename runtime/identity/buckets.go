package identity

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"time"
)

// A Bucket is what the account keeps of a bucket, which itself is in the store
// behind the server. It belongs to one instance of the bucket: whoever deletes the
// bucket, or makes one of that name, removes it.
//
// Fields: 1 policy, 2 public access block, 3 ownership, 4 changed, 5 principals,
// 6 rules for pages of other sites.
type Bucket struct {
	// Name is the bucket's name.
	Name string
	// Policy is the bucket policy as it was given; none if empty.
	Policy string
	// Principals are the users that the policy names by ARN, and their unique ids when
	// it was stored: whoever has the name later is somebody else.
	Principals []PolicyPrincipal
	// PublicAccessBlock is nil where the bucket has no setting of its own.
	PublicAccessBlock *PublicAccessBlock
	// Ownership is the object ownership setting, such as BucketOwnerEnforced; empty
	// where the bucket has none.
	Ownership string
	// CORS are the rules for pages of other sites as a document; empty where the
	// bucket has none.
	CORS string
	// Changed is when the record was last changed.
	Changed time.Time
}

// A PolicyPrincipal is a user that a policy names.
type PolicyPrincipal struct {
	ARN, ID string
}

// A PublicAccessBlock says what of public access to a bucket is blocked.
type PublicAccessBlock struct {
	BlockPublicAcls, IgnorePublicAcls, BlockPublicPolicy, RestrictPublicBuckets bool
}

// The bits of the field of a PublicAccessBlock; that it is there is a bit itself.
const (
	blockPresent = 1 << iota
	blockPublicAcls
	ignorePublicAcls
	blockPublicPolicy
	restrictPublicBuckets
)

func (b *Bucket) encode() []byte {
	var e encoder
	e.text(1, b.Policy)
	if p := b.PublicAccessBlock; p != nil {
		bits := uint64(blockPresent)
		for bit, set := range map[uint64]bool{
			blockPublicAcls: p.BlockPublicAcls, ignorePublicAcls: p.IgnorePublicAcls,
			blockPublicPolicy: p.BlockPublicPolicy, restrictPublicBuckets: p.RestrictPublicBuckets,
		} {
			if set {
				bits |= bit
			}
		}
		e.number(2, bits)
	}
	e.text(3, b.Ownership)
	e.time(4, b.Changed)
	var principals []Tag
	for _, p := range b.Principals {
		principals = append(principals, Tag{Key: p.ARN, Value: p.ID})
	}
	e.tags(5, principals)
	e.text(6, b.CORS)
	return e
}

func (b *Bucket) decode(record string) error {
	d := decoder{rest: record}
	for d.next() {
		switch d.field {
		case 1:
			b.Policy = d.string()
		case 2:
			bits := d.number()
			b.PublicAccessBlock = &PublicAccessBlock{
				BlockPublicAcls: bits&blockPublicAcls != 0, IgnorePublicAcls: bits&ignorePublicAcls != 0,
				BlockPublicPolicy: bits&blockPublicPolicy != 0, RestrictPublicBuckets: bits&restrictPublicBuckets != 0,
			}
		case 3:
			b.Ownership = d.string()
		case 4:
			b.Changed = d.time()
		case 5:
			p := d.tag()
			b.Principals = append(b.Principals, PolicyPrincipal{ARN: p.Key, ID: p.Value})
		case 6:
			b.CORS = d.string()
		}
	}
	return d.err
}

// Bucket returns what is kept of a bucket, or ErrNotFound. It gets one record.
func (tx *Tx) Bucket(name string) (*Bucket, error) {
	b := &Bucket{Name: name}
	if err := tx.load(tx.key(kindBucket, name), b); err != nil {
		return nil, err
	}
	return b, nil
}

// PutBucket stores what is to be kept of a bucket, in place of what was. It costs 1
// operation.
func (tx *Tx) PutBucket(b *Bucket) error {
	b.Changed = second(b.Changed)
	return tx.put(tx.key(kindBucket, b.Name), b.encode())
}

// DeleteBucket forgets a bucket, of which there need be nothing. It costs 1
// operation.
func (tx *Tx) DeleteBucket(name string) error { return tx.remove(tx.key(kindBucket, name)) }

// An Upload is a multipart upload that has not ended: who began it may end it and
// list its parts without further permission.
//
// Fields: 1 initiator, 2 begun.
type Upload struct {
	Bucket, ID string
	// Initiator is the unique id of the user, the account id for root.
	Initiator string
	Begun     time.Time
}

func (u *Upload) encode() []byte {
	var e encoder
	e.text(1, u.Initiator)
	e.time(2, u.Begun)
	return e
}

func (u *Upload) decode(record string) error {
	d := decoder{rest: record}
	for d.next() {
		switch d.field {
		case 1:
			u.Initiator = d.string()
		case 2:
			u.Begun = d.time()
		}
	}
	return d.err
}

// uploadPart stands for an upload id in a key: stores make ids of any length.
func uploadPart(id string) string {
	sum := sha256.Sum256([]byte(id))
	return hex.EncodeToString(sum[:])
}

// Initiator returns the unique id of who began an upload, or "" if that is not
// known. It gets one record.
func (tx *Tx) Initiator(bucket, uploadID string) (string, error) {
	u := &Upload{}
	err := tx.load(tx.key(kindUpload, bucket, uploadPart(uploadID)), u)
	if errors.Is(err, ErrNotFound) {
		return "", nil
	}
	return u.Initiator, err
}

// PutUpload remembers who began an upload. It costs 1 operation.
func (tx *Tx) PutUpload(u *Upload) error {
	u.Begun = second(u.Begun)
	return tx.put(tx.key(kindUpload, u.Bucket, uploadPart(u.ID)), u.encode())
}

// DeleteUpload forgets an upload, which need not be known. It costs 1 operation.
func (tx *Tx) DeleteUpload(bucket, uploadID string) error {
	return tx.remove(tx.key(kindUpload, bucket, uploadPart(uploadID)))
}
