package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// happening is an event, as GitHub tells a workflow of it.
type happening struct {
	name, action string
	number       int
	head         string // repository of a pull request's branch
	ref          string
	sha          string // of the commit that was pushed, or of a pull request's merge
	inputs       map[string]string
	sender       string // User or Bot: who has caused it
}

// github stands for GitHub: it reads a repository's workflow and runs its jobs'
// commands with bash, one after the other. The actions that come from elsewhere
// are stood for by what they do here; api.github.com is a server that knows
// comments and environments, and which job has the right to ask.
type github struct {
	t        *testing.T
	origin   string            // the repository
	clone    string            // a clone of it, at what the workflow is read from
	workflow string            // the file that is run; "" = arc.yml
	endpoint string            // of the cloud that stands for AWS
	arc      string            // what the job "arc" builds; "" = build it
	machine  map[string]string // variables of the runner besides GitHub's

	api       *httptest.Server
	comments  []*comment
	plain     bool               // it knows no environments
	reviewers bool               // the environment production has required reviewers
	tokens    map[string]string  // of each job's, what it may do
	taken     []string           // roles, in order
	tamper    func(*workflowRun) // what happens to the artifacts once arc is built
}

type comment struct {
	ID   int    `json:"id"`
	Body string `json:"body"`
	User struct {
		Login string `json:"login"`
	} `json:"user"`
}

const actions = "github-actions[bot]"

func (g *github) say(login, body string) {
	c := &comment{ID: 1000 + len(g.comments), Body: body}
	c.User.Login = login
	g.comments = append(g.comments, c)
}

// serve is api.github.com.
func (g *github) serve() {
	mux := http.NewServeMux()
	allowed := func(w http.ResponseWriter, r *http.Request, right string) bool {
		if strings.Contains(g.tokens[strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")], right) {
			return true
		}
		http.Error(w, `{"message": "Resource not accessible by integration"}`, http.StatusForbidden)
		return false
	}
	body := func(r *http.Request) string {
		var in struct{ Body string }
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
			g.t.Error(err)
		}
		return in.Body
	}
	mux.HandleFunc("GET /repos/acme/shop/issues/7/comments", func(w http.ResponseWriter, r *http.Request) {
		page, _ := strconv.Atoi(r.FormValue("page"))
		size, _ := strconv.Atoi(r.FormValue("per_page"))
		from := min((page-1)*size, len(g.comments))
		if allowed(w, r, "pull-requests: write") {
			json.NewEncoder(w).Encode(g.comments[from:min(from+size, len(g.comments))])
		}
	})
	mux.HandleFunc("POST /repos/acme/shop/issues/7/comments", func(w http.ResponseWriter, r *http.Request) {
		if allowed(w, r, "pull-requests: write") {
			g.say(actions, body(r))
			w.WriteHeader(http.StatusCreated)
		}
	})
	mux.HandleFunc("PATCH /repos/acme/shop/issues/comments/{id}", func(w http.ResponseWriter, r *http.Request) {
		at := slices.IndexFunc(g.comments, func(c *comment) bool { return fmt.Sprint(c.ID) == r.PathValue("id") })
		if at >= 0 && allowed(w, r, "pull-requests: write") {
			g.comments[at].Body = body(r)
		}
	})
	mux.HandleFunc("GET /repos/acme/shop/environments/production", func(w http.ResponseWriter, r *http.Request) {
		if !allowed(w, r, "actions: read") {
			return
		}
		if g.plain {
			http.Error(w, `{"message": "Not Found"}`, http.StatusNotFound)
			return
		}
		rules := `{"type": "branch_policy"}`
		if g.reviewers {
			rules += `, {"type": "required_reviewers"}`
		}
		io.WriteString(w, `{"name": "production", "protection_rules": [`+rules+`]}`)
	})
	g.api = httptest.NewServer(mux)
	g.t.Cleanup(g.api.Close)
}
