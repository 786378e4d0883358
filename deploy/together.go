package deploy

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"
	"time"

	"arc/cfn"
	"arc/deploy/s3"
)

// Two people who work on one stack are told of each other. Who comes second reads
// the name of the first from the operation under way, whose token bears it, and
// leaves word in the artifact bucket; the first looks there while CloudFormation works.

// word is what somebody leaves who waits for an operation on a stack to end.
type word struct {
	Stack   string
	By      string
	Destroy bool   // they want to delete it
	Token   string // no two words have the same
}

// wordKey is where it lies in the artifact bucket: where whoever may write the
// stack's record may write, and where no record of another stack lies, since
// only nested stacks have a hyphen in their names.
func wordKey(stackName string) string { return "deploys/" + stackName + "-waits.json" }

const (
	wordPace = 10 * time.Second // between two looks for a word
	wordTime = 3 * time.Second  // how long one may take
)

// leaveWord tells whoever works on the stack that somebody waits for it. That it
// cannot be left is no matter: it is a courtesy.
func (r *run) leaveWord(ctx context.Context, stack Stack, destroy bool) {
	bucket := s3.Bucket{Name: stack.Parameters[cfn.ArtifactBucketParameter]}
	if r.d.By == "" || bucket.Name == "" {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, wordTime)
	defer cancel()
	var err error
	if bucket.Owner, err = r.owner(ctx); err != nil {
		return
	}
	body, err := json.Marshal(word{Stack: stack.Name, By: plainName(r.d.By), Destroy: destroy, Token: newToken()})
	if err == nil {
		_ = r.Uploads.PutObject(ctx, bucket, s3.Put{Key: wordKey(stack.Name), Body: bytes.NewReader(body), ContentType: "application/json"})
	}
}

// meanwhile looks for the words of others while an operation of ours runs.
type meanwhile struct {
	r      *run
	bucket s3.Bucket
	last   string    // the token of the word that was there before, or was told
	next   time.Time // when to look again
}

// listen begins to look. What lies there is of an earlier operation.
func (r *run) listen(ctx context.Context, bucket s3.Bucket) *meanwhile {
	m := &meanwhile{r: r, bucket: bucket}
	if m.deaf() {
		return m
	}
	m.last = m.read(ctx).Token
	m.next = time.Now().Add(wordPace)
	return m
}

// deaf tells that nobody is told of anybody: nobody has a name in a local cloud.
func (m *meanwhile) deaf() bool { return m == nil || m.r.d.By == "" || m.bucket.Name == "" }

func (m *meanwhile) read(ctx context.Context) word {
	ctx, cancel := context.WithTimeout(ctx, wordTime)
	defer cancel()
	var said word
	if found, err := m.r.readNote(ctx, m.bucket, wordKey(m.r.d.StackName), &said); err != nil || !found || said.Stack != m.r.d.StackName {
		return word{}
	}
	return said
}

// look tells who waits, when it is time to look, or at last.
func (m *meanwhile) look(ctx context.Context, atLast bool) {
	if m.deaf() || !atLast && time.Now().Before(m.next) {
		return
	}
	said := m.read(ctx)
	m.next = time.Now().Add(wordPace)
	by := plainName(said.By) // whoever can write to the bucket wrote it
	if said.Token == m.last || by == "" {
		return
	}
	m.last = said.Token
	wants := "deploys it as well, and theirs comes after this one"
	if said.Destroy {
		wants = "waits to destroy it"
	}
	m.r.note("you are not alone at stack %s: %s %s", m.r.d.StackName, by, wants)
}

// signedBy stands before the name of who began an operation, in the name of its
// change set and in its token, which CloudFormation tells everybody who may
// describe the stack: all events of an operation bear its token.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_StackEvent.html
const signedBy = "-by-"

// maxSignature keeps the name of a change set, and a token, within 128 characters.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateChangeSet.html
const maxSignature = 60

// plainName is a person's or role's name as a token may hold it: letters, digits
// and hyphens.
func plainName(by string) string {
	plain := strings.Trim(strings.Map(func(r rune) rune {
		if 'a' <= r|0x20 && r|0x20 <= 'z' || '0' <= r && r <= '9' {
			return r
		}
		return '-'
	}, by), "-")
	return plain[:min(len(plain), maxSignature)]
}

// signature is what ends a token of somebody's.
func signature(by string) string {
	if plain := plainName(by); plain != "" {
		return signedBy + plain
	}
	return ""
}

// signer is whose signature ends a token; "" = nobody knows.
func signer(token string) string {
	_, by, _ := strings.Cut(token, signedBy)
	return plainName(by)
}

// begunBy is who made the change set that a stack executed last; "" = nobody knows.
func (s Stack) begunBy() string {
	_, name, _ := strings.Cut(s.changeSetID, ":changeSet/")
	name, _, _ = strings.Cut(name, "/")
	return signer(name)
}

// whoBegan puts the name of who did something behind it, where it is known.
func whoBegan(by, verb string) string {
	if by == "" {
		return ""
	}
	return ", which " + by + " " + verb
}
