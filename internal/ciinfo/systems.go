package ciinfo

// github reads https://docs.github.com/actions/reference/workflows-and-actions/variables
func (v variables) github() *Info {
	run := v.text("GITHUB_RUN_ID")
	url := joined(v.url("GITHUB_SERVER_URL"), "/", v.text("GITHUB_REPOSITORY"), "/actions/runs/", run)
	// A run that is started again keeps its id; the plain address shows the last attempt.
	if attempt := v.text("GITHUB_RUN_ATTEMPT"); attempt != nil && *attempt != "1" {
		url = joined(url, "/attempts/", attempt)
	}
	return &Info{
		System: "github-actions",
		Commit: v.commit("GITHUB_SHA"),
		Actor:  v.person("GITHUB_ACTOR"),
		Run:    run,
		URL:    url,
	}
}

// gitlab reads https://docs.gitlab.com/ci/variables/predefined_variables/
func (v variables) gitlab() *Info {
	return &Info{
		System: "gitlab-ci",
		Commit: v.commit("CI_COMMIT_SHA"),
		Actor:  v.person("GITLAB_USER_LOGIN"),
		Run:    v.text("CI_PIPELINE_ID"),
		URL:    v.url("CI_JOB_URL"),
	}
}

// buildkite reads https://buildkite.com/docs/pipelines/configure/environment-variables
func (v variables) buildkite() *Info {
	url := v.url("BUILDKITE_BUILD_URL")
	if job := joined(url, "#", v.text("BUILDKITE_JOB_ID")); job != nil {
		url = job // a build has many jobs; the fragment opens this one
	}
	return &Info{
		System: "buildkite",
		Commit: v.commit("BUILDKITE_COMMIT"),
		Actor:  v.person("BUILDKITE_BUILD_CREATOR"),
		Run:    v.text("BUILDKITE_BUILD_ID"),
		URL:    url,
	}
}
