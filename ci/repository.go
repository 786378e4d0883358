package ci

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"

	"arc/manifest"
)

// Repository is a repository on GitHub.
type Repository struct {
	Owner, Name string
	// OwnerID and ID are the numbers that GitHub knows them by, or "". The
	// tokens of repositories that were made, renamed or moved from 15 July 2026
	// on carry them: https://docs.github.com/en/actions/reference/security/oidc
	OwnerID, ID string
}

var repositoryForm = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^([A-Za-z0-9][A-Za-z0-9_-]{0,63})(?:@([0-9]{1,20}))?/([A-Za-z0-9._-]{1,100})(?:@([0-9]{1,20}))?$`)
})

// ParseRepository reads OWNER/NAME, or OWNER@ID/NAME@ID.
func ParseRepository(text string) (Repository, error) {
	m := repositoryForm().FindStringSubmatch(text)
	if m == nil || (m[2] == "") != (m[4] == "") || m[3] == "." || m[3] == ".." {
		return Repository{}, fmt.Errorf("%q is no repository: write OWNER/NAME, or with GitHub's numbers OWNER@1234/NAME@5678", text)
	}
	return Repository{Owner: m[1], OwnerID: m[2], Name: m[3], ID: m[4]}, nil
}

// ParseRemote finds the repository in the URL of a git remote.
func ParseRemote(remote string) (Repository, error) {
	path, ok := strings.CutPrefix(remote, "git@github.com:")
	if !ok {
		u, err := url.Parse(remote)
		if err != nil || u.Hostname() != "github.com" {
			return Repository{}, errors.New("the remote origin is not on github.com")
		}
		path = u.Path
	}
	return ParseRepository(strings.TrimSuffix(strings.Trim(path, "/"), ".git"))
}

// String is OWNER/NAME.
func (r Repository) String() string { return r.Owner + "/" + r.Name }

// subjects are the names under which GitHub vouches for a run. A name that is
// given up can be taken by somebody else, but then it has other numbers, so
// the plain form stays safe beside the one with numbers.
func (r Repository) subjects(what string) []string {
	list := []string{"repo:" + r.String() + ":" + what}
	if r.ID != "" {
		list = append(list, "repo:"+r.Owner+"@"+r.OwnerID+"/"+r.Name+"@"+r.ID+":"+what)
	}
	return list
}

var (
	accountForm = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[0-9]{12}$`) })
	// Narrower than git's, for the name stands in a pattern of the workflow.
	branchForm = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._/-]*$`) })
	roleForm   = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[A-Za-z0-9+=,.@_-]+$`) })
	regionForm = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[a-z]{2,}(-[a-z]+)+-[0-9]+$`) })
	commitForm = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[0-9a-f]{40}([0-9a-f]{24})?$`) })
	sourceForm = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[A-Za-z0-9][^\s"'\\]*$`) })
)

// maxRoleName is IAM's.
const maxRoleName = 64

// check refuses what would mean something else in the files, or nothing in AWS.
func (s Setup) check() error {
	switch {
	case !manifest.ValidAppName(s.App):
		return fmt.Errorf("%q is not the name of an app", s.App)
	case !regionForm().MatchString(s.Region):
		return fmt.Errorf("%q is no region: write one like eu-central-1", s.Region)
	case !branchForm().MatchString(s.Branch):
		return fmt.Errorf("--branch %q: write letters, digits, and . _ / - behind a letter", s.Branch)
	case !roleForm().MatchString(s.Role):
		return fmt.Errorf("--role %q: write letters, digits and hyphens", s.Role)
	case s.Source != "" && !sourceForm().MatchString(s.Source):
		return fmt.Errorf("--source %q: write the URL of a git repository", s.Source)
	case s.Revision != "" && !commitForm().MatchString(s.Revision):
		return fmt.Errorf("--source: %q is no commit: the workflow holds production's role, and a tag or a branch can be moved; write all 40 digits", s.Revision)
	}
	for _, a := range []struct{ flag, number string }{{"--account", s.Account}, {"--production-account", s.Production}} {
		if a.number != "" && !accountForm().MatchString(a.number) {
			return fmt.Errorf("%s %q: the number of an AWS account has 12 digits", a.flag, a.number)
		}
	}
	for _, r := range s.roles() {
		if name := s.roleName(r); len(name) > maxRoleName {
			return fmt.Errorf("the role's name %s has %d characters, and IAM takes %d: give a shorter --role", name, len(name), maxRoleName)
		}
	}
	return nil
}

// cut reports whether the names of some role's resources do not show the whole
// name of their stack.
func (s Setup) cut() bool {
	return slices.ContainsFunc(s.roles(), func(r role) bool { return len(r.stacks.name) > keptOfStack })
}

// Cautions tells what the files cannot keep apart, and what may be missing from
// them, in lines of a terminal's width.
func (s Setup) Cautions() []string {
	var list []string
	if s.Production == "" || s.Production == s.Account {
		list = append(list, "staging and production share an account, where AWS knows APIs and CDNs\n"+
			"by no stack's name: who may push a branch can change production's;\n"+
			"--production-account keeps them apart")
	}
	if s.cut() {
		list = append(list, "the app's name is so long that AWS cuts those of its resources:\n"+
			"rights reach those of other stages, and of apps that begin alike")
	}
	if s.Repository.ID == "" {
		list = append(list, "was the repository made, renamed or moved since 15 July 2026?\n"+
			"then --repo needs its numbers, OWNER@1234/NAME@5678, which this tells:\n"+
			"gh api repos/"+s.Repository.String()+" --jq '.owner.id, .id'")
	}
	return list
}
