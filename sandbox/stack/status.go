package stack

import "arc/cfn/registry"

// The statuses of stacks and resources that the engine uses.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/view-stack-events.html
const (
	CreateInProgress = "CREATE_IN_PROGRESS"
	CreateComplete   = "CREATE_COMPLETE"
	CreateFailed     = "CREATE_FAILED"

	ImportInProgress       = "IMPORT_IN_PROGRESS"
	ImportComplete         = "IMPORT_COMPLETE"
	ImportFailed           = "IMPORT_FAILED"
	ImportRollback         = "IMPORT_ROLLBACK_IN_PROGRESS"
	ImportRollbackComplete = "IMPORT_ROLLBACK_COMPLETE"

	UpdateInProgress        = "UPDATE_IN_PROGRESS"
	UpdateCompleteCleanup   = "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"
	UpdateComplete          = "UPDATE_COMPLETE"
	UpdateFailed            = "UPDATE_FAILED"
	UpdateRollback          = "UPDATE_ROLLBACK_IN_PROGRESS"
	UpdateRollbackCleanup   = "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS"
	UpdateRollbackComplete  = "UPDATE_ROLLBACK_COMPLETE"
	UpdateRollbackFailed    = "UPDATE_ROLLBACK_FAILED"
	RollbackInProgress      = "ROLLBACK_IN_PROGRESS"
	RollbackComplete        = "ROLLBACK_COMPLETE"
	RollbackFailed          = "ROLLBACK_FAILED"
	DeleteInProgress        = "DELETE_IN_PROGRESS"
	DeleteComplete          = "DELETE_COMPLETE"
	DeleteFailed            = "DELETE_FAILED"
	DeleteSkipped           = "DELETE_SKIPPED"
	ReviewInProgress        = "REVIEW_IN_PROGRESS"
	changeSetCreatePending  = "CREATE_PENDING"
	changeSetFailed         = "FAILED"
	executionUnavailable    = "UNAVAILABLE"
	executionAvailable      = "AVAILABLE"
	executionInProgress     = "EXECUTE_IN_PROGRESS"
	executionComplete       = "EXECUTE_COMPLETE"
	executionFailed         = "EXECUTE_FAILED"
	userInitiated           = "User Initiated"
	stackType               = registry.CloudFormationStack
	creationInitiated       = "Resource creation Initiated"
	replacementReason       = "Requested update requires the creation of a new physical resource; hence creating one."
	noChanges               = "The submitted information didn't contain changes. Submit different information to create a change set."
	secret                  = "****"
	policyRetain            = "Retain"
	policyRetainExceptFirst = "RetainExceptOnCreate"
)

// updatable reports whether a stack in this status may be updated.
func updatable(status string) bool {
	switch status {
	case CreateComplete, CreateFailed, UpdateComplete, UpdateRollbackComplete, UpdateFailed, ImportComplete, ImportRollbackComplete:
		return true
	}
	return false
}

// underWay reports whether an operation runs on a stack in this status.
func underWay(status string) bool {
	switch status {
	case CreateInProgress, UpdateInProgress, UpdateCompleteCleanup, UpdateRollback, UpdateRollbackCleanup,
		RollbackInProgress, DeleteInProgress, ImportInProgress, ImportRollback:
		return true
	}
	return false
}
