package doubles

import hudson.model.Result

/** The variable `currentBuild`, as far as results go. A result only ever gets worse (manual: Pipeline, global variables). */
class CurrentBuild {
    static final List<String> BY_SEVERITY = Result.values()*.name()

    private String result
    final int number
    /** Result of the build before, null for the first. */
    final String previous
    String displayName
    String description

    CurrentBuild(int number, String previous) {
        this.number = number
        this.previous = previous
        displayName = "#$number"
    }

    String getResult() { result }

    void setResult(String worse) { result = result == null ? worse : worst([result, worse]) }

    /** Sets it back, which only post conditions do. */
    void resetResult(String earlier) { result = earlier }

    String getCurrentResult() { result ?: 'SUCCESS' }

    Object propertyMissing(String name) { throw new Refused("currentBuild.$name") }

    static String worst(List<String> results) { results.findAll { it }.max { BY_SEVERITY.indexOf(it) } ?: 'SUCCESS' }
}
