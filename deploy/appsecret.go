package deploy

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"arc/deploy/ssm"
)

// AppSecret is the variable with the key that @architect/functions encrypts
// and signs sessions with. Without it the package uses one that everybody
// knows, and anybody can make himself a session of any user.
const AppSecret = "ARC_APP_SECRET"

// MinAppSecret is how many characters the package wants: version 8 throws for
// fewer, and looks at no more.
const MinAppSecret = 32

// Unmade is the version of an AppSecret that a deploy is yet to make.
const Unmade = "made by the deploy"

// letters are those of base 62; of the 256 bytes, the first 4*62 give each of
// them alike.
const letters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// NewAppSecret makes a random secret of MinAppSecret letters and digits, 190
// bits, with a mark behind it by which MadeHere knows it again.
func NewAppSecret() string {
	secret := make([]byte, 0, MinAppSecret)
	for len(secret) < MinAppSecret {
		var b [MinAppSecret]byte
		rand.Read(b[:]) // never fails
		for _, c := range b {
			if int(c) < 4*len(letters) && len(secret) < MinAppSecret {
				secret = append(secret, letters[int(c)%len(letters)])
			}
		}
	}
	return string(secret) + mark(string(secret))
}

// MadeHere reports whether a secret is one of NewAppSecret's, and not the user's.
func MadeHere(secret string) bool {
	return len(secret) > MinAppSecret && mark(secret[:MinAppSecret]) == secret[MinAppSecret:]
}

func mark(secret string) string {
	sum := sha256.Sum256([]byte("arc " + secret))
	return hex.EncodeToString(sum[:4])
}

// MakeAppSecret makes a stage's AppSecret where there is none, and gives what is
// there in the end: two deploys at a time make one.
// https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_PutParameter.html
func (c Clients) MakeAppSecret(ctx context.Context, app, stage string) (Variable, error) {
	name := EnvFolder(app, stage) + "/" + AppSecret
	_, err := c.Parameters.PutParameter(ctx, &ssm.PutParameterInput{Name: name, Type: "SecureString", Value: NewAppSecret()})
	if err != nil && !isCode(err, "ParameterAlreadyExists") {
		return Variable{}, fmt.Errorf("make %s in SSM: %w", name, err)
	}
	env, err := c.Env(ctx, Scope{App: app, Stage: stage})
	if err != nil {
		return Variable{}, err
	}
	made, ok := env[AppSecret]
	if !ok {
		return Variable{}, fmt.Errorf("%s in SSM was made and is gone: deploy again", name)
	}
	return made, nil
}

// forgetAppSecret removes the stage's AppSecret, unless the user set it.
func (w *destruction) forgetAppSecret(ctx context.Context) error {
	if w.d.Stage == "" {
		return nil
	}
	name := EnvFolder(w.d.App, w.d.Stage) + "/" + AppSecret
	stays := func(err error) error {
		if !isCode(err, "AccessDeniedException") {
			return err
		}
		// The roles of arc ci may make a key, and none may remove one: who could,
		// could set another.
		w.note("%s stays in SSM, if it is there: these credentials may not remove it; aws ssm delete-parameter --name %s does", name, name)
		return nil
	}
	env, err := w.Env(ctx, Scope{App: w.d.App, Stage: w.d.Stage})
	if err != nil {
		return stays(err)
	}
	if !MadeHere(env[AppSecret].Value) {
		return nil
	}
	if _, err := w.Parameters.DeleteParameters(ctx, &ssm.DeleteParametersInput{Names: []string{name}}); err != nil {
		return stays(fmt.Errorf("remove %s from SSM: %w", name, err))
	}
	return nil
}
