package host

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// privateFolder makes a folder that only the server's user can enter, or
// refuses one that others can: what lies there is run.
func privateFolder(path string) error {
	if err := os.Mkdir(path, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	info, err := os.Lstat(path)
	if err != nil {
		return err
	}
	owner, ok := info.Sys().(*syscall.Stat_t)
	switch {
	case !info.IsDir():
		return fmt.Errorf("%s is not a folder", path)
	case info.Mode().Perm()&0o077 != 0:
		return fmt.Errorf("%s has the mode %04o, and others could put machine code there: chmod 700 %s", path, info.Mode().Perm(), path)
	case ok && int(owner.Uid) != os.Geteuid():
		return fmt.Errorf("%s belongs to the user %d, who could put machine code there", path, owner.Uid)
	}
	return nil
}
