package lambda

import (
	"fmt"

	"arc/source/interpreter"
)

// machine is where the programs that run functions are looked for.
func (s *Service) machine() interpreter.Machine {
	return interpreter.Machine{Cache: s.options.Cache, Env: func(name string) string {
		if name == "PATH" || s.options.User == nil {
			if name == "PATH" {
				return s.options.Path
			}
			return ""
		}
		return s.options.User(name)
	}}
}

// compareVersion warns, once a runtime, that its language is missing or broken,
// or that another version runs here than there. The caller holds the lock.
func (s *Service) compareVersion(runtime string) {
	if s.options.Warn == nil || s.compared[runtime] || s.closed || languageOf(runtime) == nil {
		return
	}
	s.compared[runtime] = true
	s.running.Add(1)
	go func() {
		defer s.running.Done()
		f, err := s.machine().Find(s.ending, runtime)
		switch {
		case s.ending.Err() != nil || err == nil && f.Right():
			return
		case err != nil:
			s.options.Warn(err.Error())
			return
		}
		language := interpreter.Language(runtime)
		version := f.Version
		if version == "" {
			s.options.Warn(fmt.Sprintf("%s does not tell its version, and %s functions need it: does it run? install %s %s", f.Program, runtime, language, f.Wanted))
			return
		}
		s.options.Warn(fmt.Sprintf("%s functions run on %s %s here (%s): install %s %s to run what Lambda runs",
			runtime, language, version, f.Program, language, f.Wanted))
	}()
}
