// Checks a log's checkpoint, its tree and a receipt with golang.org/x/mod/sumdb, which nobody here wrote:
// FOLDER VKEY RECEIPT. Prints the size of the checkpoint.
package main

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func demand(holds bool, what string, args ...any) {
	if !holds {
		check(fmt.Errorf(what, args...))
	}
}

// open verifies a note, and returns the size and the root that it says.
func open(text []byte, vkey string) (int64, tlog.Hash) {
	verifier, err := note.NewVerifier(vkey)
	check(err)
	opened, err := note.Open(text, note.VerifierList(verifier))
	check(err)
	lines := strings.Split(opened.Text, "\n")
	demand(len(lines) == 4 && lines[0] == verifier.Name(), "not a checkpoint of this log: %q", opened.Text)
	size, err := strconv.ParseInt(lines[1], 10, 64)
	check(err)
	root, err := tlog.ParseHash(lines[2])
	check(err)
	return size, root
}

func entry(line string) []byte {
	end := len(line) - len(`,"tag":"`) - 64 - len(`"}`)
	tag, err := hex.DecodeString(line[end+len(`,"tag":"`) : len(line)-2])
	check(err)
	record := line[:end] + "}"
	data := binary.BigEndian.AppendUint64(nil, uint64(len(record)))
	return append(append(data, record...), tag...)
}

func main() {
	folder, vkey := os.Args[1], os.Args[2]
	text, err := os.ReadFile(filepath.Join(folder, "checkpoint"))
	check(err)
	size, root := open(text, vkey)

	stored, err := os.ReadFile(filepath.Join(folder, "tree"))
	check(err)
	reader := tlog.HashReaderFunc(func(places []int64) ([]tlog.Hash, error) {
		hashes := make([]tlog.Hash, len(places))
		for i, place := range places {
			if int64(len(stored)) < 32*(place+1) {
				return nil, fmt.Errorf("no hash at %d", place)
			}
			copy(hashes[i][:], stored[32*place:])
		}
		return hashes, nil
	})
	made, err := tlog.TreeHash(size, reader)
	check(err)
	demand(made == root, "the root of the tree is %v, not %v", made, root)

	names, err := filepath.Glob(filepath.Join(folder, "log-*.jsonl"))
	check(err)
	sort.Strings(names)
	index := int64(0)
	for _, name := range names {
		content, err := os.ReadFile(name)
		check(err)
		lines := strings.Split(strings.TrimSuffix(string(content), "\n"), "\n")
		for _, line := range lines[1:] {
			if index == size {
				break
			}
			proof, err := tlog.ProveRecord(size, index, reader)
			check(err)
			check(tlog.CheckRecord(proof, size, root, index, tlog.RecordHash(entry(line))))
			old, err := tlog.TreeHash(index+1, reader)
			check(err)
			grown, err := tlog.ProveTree(size, index+1, reader)
			check(err)
			check(tlog.CheckTree(grown, size, root, index+1, old))
			index++
		}
	}
	demand(index == size, "the log has %d records, not %d", index, size)

	// The framing of a receipt has no reader in the library: these few lines are one.
	receipt, err := os.ReadFile(os.Args[3])
	check(err)
	head, signed, found := bytes.Cut(receipt, []byte("\n\n"))
	demand(found, "no checkpoint in the receipt")
	size, root = open(signed, vkey)
	lines := strings.Split(string(head), "\n")
	demand(len(lines) >= 3 && lines[0] == "c2sp.org/tlog-proof@v1", "not a receipt")
	extra, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(lines[1], "extra "))
	check(err)
	index, err = strconv.ParseInt(strings.TrimPrefix(lines[2], "index "), 10, 64)
	check(err)
	var proof tlog.RecordProof
	for _, line := range lines[3:] {
		hash, err := tlog.ParseHash(line)
		check(err)
		proof = append(proof, hash)
	}
	check(tlog.CheckRecord(proof, size, root, index, tlog.RecordHash(extra)))
	fmt.Println(size)
}
