package secretsmanager

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"arc/sandbox/stack"
)

// Handle answers one operation of the API with the JSON of its request.
// https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_Operations.html
func (s *Store) Handle(_ context.Context, operation string, body []byte) (any, error) {
	do := map[string]func(request) (any, error){
		"CreateSecret": s.createSecret, "GetSecretValue": s.getSecretValue, "PutSecretValue": s.putSecretValue, "UpdateSecret": s.updateSecret,
		"DescribeSecret": s.describeSecret, "ListSecrets": s.listSecrets, "ListSecretVersionIds": s.listVersions, "DeleteSecret": s.deleteSecret,
		"RestoreSecret": s.restoreSecret, "UpdateSecretVersionStage": s.updateStage, "BatchGetSecretValue": s.batchGet,
		"TagResource": s.tagResource, "UntagResource": s.untagResource, "GetRandomPassword": s.randomPassword,
		"PutResourcePolicy": s.putPolicy, "GetResourcePolicy": s.getPolicy, "DeleteResourcePolicy": s.deletePolicy,
	}[operation]
	if do == nil {
		return nil, &stack.Error{Code: "UnknownOperationException", Message: fmt.Sprintf("the local cloud's Secrets Manager does not run %s", operation)}
	}
	var in request
	if err := json.Unmarshal(body, &in); err != nil {
		return nil, &stack.Error{Code: "SerializationException", Message: "the request's JSON cannot be read: " + err.Error()}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return do(in)
}

// request has the members of all operations' requests.
type request struct {
	Name, SecretID, Description, KmsKeyID, ClientRequestToken string
	SecretString                                              *string
	SecretBinary                                              []byte
	VersionID, VersionStage                                   string
	VersionStages                                             []string
	RemoveFromVersionID, MoveToVersionID                      string
	IncludeDeprecated, IncludePlannedDeletion                 bool
	ForceDeleteWithoutRecovery                                bool
	RecoveryWindowInDays                                      *int
	SecretIDList                                              []string
	Filters                                                   []struct {
		Key    string
		Values []string
	}
	Tags           []tag
	TagKeys        []string
	ResourcePolicy string
	MaxResults     int
	NextToken      string
	password
}

type tag struct{ Key, Value string }

// seconds prints a time as a JSON number of seconds.
type seconds time.Time

func (t seconds) MarshalJSON() ([]byte, error) {
	return strconv.AppendFloat(nil, float64(time.Time(t).UnixMilli())/1000, 'f', 3, 64), nil
}

// written is the answer of what makes a version.
type written struct {
	ARN           string
	Name          string
	VersionID     string   `json:"VersionId,omitempty"`
	VersionStages []string `json:",omitempty"`
}

func (s *Store) createSecret(in request) (any, error) {
	if there := s.secrets[in.Name]; there != nil && in.ClientRequestToken != "" && there.Versions[in.ClientRequestToken] != nil {
		// The same request once more.
		v, err := there.put(in.ClientRequestToken, in.SecretString, in.SecretBinary, nil)
		if err != nil {
			return nil, err
		}
		return written{ARN: there.ARN, Name: there.Name, VersionID: v.ID}, nil
	}
	made, err := s.create(in.Name)
	if err != nil {
		return nil, err
	}
	made.Description, made.KeyID = in.Description, in.KmsKeyID
	for _, t := range in.Tags {
		made.Tags[t.Key] = t.Value
	}
	out := written{ARN: made.ARN, Name: made.Name}
	if in.SecretString != nil || in.SecretBinary != nil {
		v, err := made.put(in.ClientRequestToken, in.SecretString, in.SecretBinary, nil)
		if err != nil {
			delete(s.secrets, in.Name)
			return nil, err
		}
		out.VersionID = v.ID
	}
	return out, s.keep(in.Name)
}

// value is what GetSecretValue tells.
type value struct {
	ARN           string
	Name          string
	VersionID     string   `json:"VersionId"`
	SecretString  *string  `json:",omitempty"`
	SecretBinary  []byte   `json:",omitempty"`
	VersionStages []string `json:",omitempty"`
	CreatedDate   seconds
}

func (s *Store) getSecretValue(in request) (any, error) {
	found, err := s.alive(in.SecretID)
	if err != nil {
		return nil, err
	}
	v, err := found.version(in.VersionID, in.VersionStage)
	if err != nil {
		return nil, err
	}
	return value{found.ARN, found.Name, v.ID, v.String, v.Binary, v.Stages, seconds(v.Created)}, nil
}

func (s *Store) batchGet(in request) (any, error) {
	out := struct {
		SecretValues []any
		Errors       []map[string]string
	}{[]any{}, []map[string]string{}}
	for _, id := range in.SecretIDList {
		v, err := s.getSecretValue(request{SecretID: id})
		if err != nil {
			e := err.(*stack.Error) // all that find and version give
			out.Errors = append(out.Errors, map[string]string{"SecretId": id, "ErrorCode": e.Code, "Message": e.Message})
			continue
		}
		out.SecretValues = append(out.SecretValues, v)
	}
	return out, nil
}

func (s *Store) putSecretValue(in request) (any, error) {
	found, err := s.alive(in.SecretID)
	if err != nil {
		return nil, err
	}
	v, err := found.put(in.ClientRequestToken, in.SecretString, in.SecretBinary, in.VersionStages)
	if err != nil {
		return nil, err
	}
	return written{found.ARN, found.Name, v.ID, v.Stages}, s.keep(found.Name)
}

func (s *Store) updateSecret(in request) (any, error) {
	found, err := s.alive(in.SecretID)
	if err != nil {
		return nil, err
	}
	out := written{ARN: found.ARN, Name: found.Name}
	if in.SecretString != nil || in.SecretBinary != nil {
		v, err := found.put(in.ClientRequestToken, in.SecretString, in.SecretBinary, nil)
		if err != nil {
			return nil, err
		}
		out.VersionID = v.ID
	}
	if in.Description != "" {
		found.Description = in.Description
	}
	if in.KmsKeyID != "" {
		found.KeyID = in.KmsKeyID
	}
	found.Changed = time.Now().UTC()
	return out, s.keep(found.Name)
}

// described is a secret without its values.
type described struct {
	ARN                string
	Name               string
	Description        string              `json:",omitempty"`
	KmsKeyID           string              `json:"KmsKeyId,omitempty"`
	CreatedDate        seconds             `json:",omitzero"`
	LastChangedDate    seconds             `json:",omitzero"`
	DeletedDate        *seconds            `json:",omitempty"`
	VersionIDsToStages map[string][]string `json:"VersionIdsToStages,omitempty"`
	SecretVersions     map[string][]string `json:"SecretVersionsToStages,omitempty"`
	Tags               []tag
}

func (sec *secret) described() described {
	d := described{ARN: sec.ARN, Name: sec.Name, Description: sec.Description, KmsKeyID: sec.KeyID,
		CreatedDate: seconds(sec.Created), LastChangedDate: seconds(sec.Changed), Tags: []tag{}}
	if sec.Deletes != nil {
		at := seconds(*sec.Deletes)
		d.DeletedDate = &at
	}
	for _, key := range slices.Sorted(maps.Keys(sec.Tags)) {
		d.Tags = append(d.Tags, tag{key, sec.Tags[key]})
	}
	return d
}

func (sec *secret) stages() map[string][]string {
	all := map[string][]string{}
	for id, v := range sec.Versions {
		if len(v.Stages) > 0 {
			all[id] = v.Stages
		}
	}
	return all
}

func (s *Store) describeSecret(in request) (any, error) {
	found, err := s.find(in.SecretID)
	if err != nil {
		return nil, err
	}
	d := found.described()
	d.VersionIDsToStages = found.stages()
	return d, nil
}

// listSecrets lists secrets by name; the filters are those by name and description.
func (s *Store) listSecrets(in request) (any, error) {
	out := struct {
		SecretList []described
		NextToken  string `json:",omitempty"`
	}{SecretList: []described{}}
	limit := in.MaxResults
	if limit == 0 {
		limit = 100
	}
	for _, name := range slices.Sorted(maps.Keys(s.secrets)) {
		sec := s.secrets[name]
		if sec.Deletes != nil && !in.IncludePlannedDeletion || name <= in.NextToken {
			continue
		}
		meant := true
		for _, f := range in.Filters {
			text, known := map[string]string{"name": sec.Name, "description": sec.Description, "all": sec.Name}[f.Key]
			if !known {
				return nil, &stack.Error{Code: "InvalidParameterException", Message: "the local cloud filters secrets by name, description and all, not by " + f.Key}
			}
			meant = meant && slices.ContainsFunc(f.Values, func(v string) bool { return strings.HasPrefix(strings.ToLower(text), strings.ToLower(v)) })
		}
		if !meant {
			continue
		}
		if len(out.SecretList) == limit {
			out.NextToken = out.SecretList[limit-1].Name
			break
		}
		d := sec.described()
		d.SecretVersions = sec.stages()
		out.SecretList = append(out.SecretList, d)
	}
	return out, nil
}

func (s *Store) listVersions(in request) (any, error) {
	found, err := s.find(in.SecretID)
	if err != nil {
		return nil, err
	}
	type shown struct {
		VersionID     string   `json:"VersionId"`
		VersionStages []string `json:",omitempty"`
		CreatedDate   seconds
	}
	versions := []shown{}
	for _, id := range slices.Sorted(maps.Keys(found.Versions)) {
		v := found.Versions[id]
		if len(v.Stages) > 0 || in.IncludeDeprecated {
			versions = append(versions, shown{id, v.Stages, seconds(v.Created)})
		}
	}
	return map[string]any{"ARN": found.ARN, "Name": found.Name, "Versions": versions}, nil
}

// deleteSecret marks a secret for deletion, or deletes it at once.
// https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_DeleteSecret.html
func (s *Store) deleteSecret(in request) (any, error) {
	found, err := s.find(in.SecretID)
	if err != nil {
		return nil, err
	}
	days := 30
	if in.RecoveryWindowInDays != nil {
		days = *in.RecoveryWindowInDays
	}
	switch {
	case in.ForceDeleteWithoutRecovery && in.RecoveryWindowInDays != nil:
		return nil, &stack.Error{Code: "InvalidParameterException", Message: "You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays."}
	case days < 7 || days > 30:
		return nil, &stack.Error{Code: "InvalidParameterException", Message: "The RecoveryWindowInDays value must be between 7 and 30 days (inclusive)."}
	}
	at := time.Now().UTC().AddDate(0, 0, days)
	if in.ForceDeleteWithoutRecovery {
		at = time.Now().UTC()
		delete(s.secrets, found.Name)
	} else {
		found.Deletes = &at
	}
	return map[string]any{"ARN": found.ARN, "Name": found.Name, "DeletionDate": seconds(at)}, s.keep(found.Name)
}

func (s *Store) restoreSecret(in request) (any, error) {
	found, err := s.find(in.SecretID)
	if err != nil {
		return nil, err
	}
	found.Deletes = nil
	return written{ARN: found.ARN, Name: found.Name}, s.keep(found.Name)
}

func (s *Store) updateStage(in request) (any, error) {
	found, err := s.alive(in.SecretID)
	if err != nil {
		return nil, err
	}
	var to *version
	if in.MoveToVersionID != "" {
		if to = found.Versions[in.MoveToVersionID]; to == nil {
			return nil, &stack.Error{Code: "ResourceNotFoundException", Message: "Secrets Manager can't find the specified secret version."}
		}
	}
	for _, v := range found.Versions {
		if v != to && slices.Contains(v.Stages, in.VersionStage) && v.ID != in.RemoveFromVersionID {
			return nil, &stack.Error{Code: "InvalidParameterException", Message: "The parameter RemoveFromVersionId can't be empty. Staging label " + in.VersionStage + " is currently attached to version " + v.ID + ", so you must explicitly reference that version in RemoveFromVersionId."}
		}
	}
	found.label(in.VersionStage, to)
	found.Changed = time.Now().UTC()
	return written{ARN: found.ARN, Name: found.Name}, s.keep(found.Name)
}

func (s *Store) tagResource(in request) (any, error) {
	found, err := s.find(in.SecretID)
	if err != nil {
		return nil, err
	}
	for _, t := range in.Tags {
		found.Tags[t.Key] = t.Value
	}
	return struct{}{}, s.keep(found.Name)
}

func (s *Store) untagResource(in request) (any, error) {
	found, err := s.find(in.SecretID)
	if err != nil {
		return nil, err
	}
	for _, key := range in.TagKeys {
		delete(found.Tags, key)
	}
	return struct{}{}, s.keep(found.Name)
}

func (s *Store) putPolicy(in request) (any, error) {
	found, err := s.alive(in.SecretID)
	if err != nil {
		return nil, err
	}
	if !json.Valid([]byte(in.ResourcePolicy)) {
		return nil, &stack.Error{Code: "MalformedPolicyDocumentException", Message: "This resource policy contains invalid JSON."}
	}
	found.Policy = in.ResourcePolicy
	return written{ARN: found.ARN, Name: found.Name}, s.keep(found.Name)
}

func (s *Store) getPolicy(in request) (any, error) {
	found, err := s.find(in.SecretID)
	if err != nil {
		return nil, err
	}
	out := map[string]string{"ARN": found.ARN, "Name": found.Name}
	if found.Policy != "" {
		out["ResourcePolicy"] = found.Policy
	}
	return out, nil
}

func (s *Store) deletePolicy(in request) (any, error) {
	found, err := s.find(in.SecretID)
	if err != nil {
		return nil, err
	}
	found.Policy = ""
	return written{ARN: found.ARN, Name: found.Name}, s.keep(found.Name)
}
