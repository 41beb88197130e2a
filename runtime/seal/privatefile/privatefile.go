// Package privatefile reads and writes files that hold secrets, which only the
// user that the server runs as may see. It does not know what is in them.
//
// A file counts as private when it is a regular file, not reached through a
// symbolic link in the last part of its path, that belongs to the effective
// user and whose mode is 0600 or narrower. Everything else is refused, with an
// error that names the command that puts it right.
package privatefile

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// mode is the widest mode of a private file, and the one new files get.
const mode fs.FileMode = 0o600

// Read returns the content of the private file path, which may be up to limit
// bytes long. The error is an fs.ErrNotExist where there is no such file. No
// error quotes the content.
func Read(path string, limit int64) ([]byte, error) {
	// O_NONBLOCK, so that a named pipe is refused and not waited for.
	f, err := open(path, os.O_RDONLY|syscall.O_NONBLOCK)
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // nothing was written
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	if int64(len(data)) > limit {
		return nil, fmt.Errorf("%s is longer than %d bytes", path, limit)
	}
	return data, nil
}

// Check returns the error that reading path would have if it is no private
// file, for those that others open.
func Check(path string) error {
	f, err := open(path, os.O_RDONLY|syscall.O_NONBLOCK)
	if err != nil {
		return err
	}
	return f.Close()
}

// OpenAppend opens the private file path for appending, and makes it where
// there is none.
func OpenAppend(path string) (*os.File, error) {
	return open(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE|syscall.O_NONBLOCK)
}

// Create makes the file path with the content data. It never replaces a file:
// the error is then an fs.ErrExist. The file appears whole, and is on disk when
// Create returns.
func Create(path string, data []byte) error {
	// A link, unlike a rename, fails where the name is taken, so that of two
	// servers that start in one empty directory only one makes the file.
	return write(path, data, os.Link)
}

// Replace gives the file path the content data, whether it exists or not. At
// every moment the path holds the old content or the new one, and the new one
// is on disk when Replace returns.
func Replace(path string, data []byte) error {
	return write(path, data, os.Rename)
}

func write(path string, data []byte, publish func(from, to string) error) error {
	dir := filepath.Dir(path)
	temp, err := os.CreateTemp(dir, "."+filepath.Base(path)+".*.tmp") // mode 0600
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	defer os.Remove(temp.Name()) //nolint:errcheck // after a rename there is nothing left to remove
	_, err = temp.Write(data)
	if err == nil {
		err = temp.Sync()
	}
	if err = errors.Join(err, temp.Close()); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	if err := publish(temp.Name(), path); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return syncDirectory(dir)
}

// syncDirectory makes the names in dir durable: the sync of a file does not
// cover the entry that leads to it.
func syncDirectory(dir string) error {
	d, err := os.Open(dir)
	if err == nil {
		err = errors.Join(d.Sync(), d.Close())
	}
	if err != nil {
		return fmt.Errorf("sync directory %s: %w", dir, err)
	}
	return nil
}

func open(path string, flags int) (*os.File, error) {
	f, err := os.OpenFile(path, flags|syscall.O_NOFOLLOW, mode)
	if errors.Is(err, syscall.ELOOP) {
		return nil, fmt.Errorf("%s is a symbolic link; give the path of the file itself", path)
	}
	if err != nil {
		return nil, err
	}
	// The open file is examined, not the path, which could change in between.
	if err := check(f); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

func check(f *os.File) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%s is not a regular file", f.Name())
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return fmt.Errorf("%s: its owner cannot be found out", f.Name())
	}
	if uid := os.Geteuid(); int64(stat.Uid) != int64(uid) {
		return fmt.Errorf("%s belongs to user %d and the server runs as user %d; run: chown %d %q", f.Name(), stat.Uid, uid, uid, f.Name())
	}
	if perm := info.Mode().Perm(); perm&^mode != 0 {
		return fmt.Errorf("%s has mode %#o and may be read by others; run: chmod 600 %q", f.Name(), perm, f.Name())
	}
	return nil
}
