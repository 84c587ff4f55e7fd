package doubles

/** The stages as they begin and end, with what the stage view shows (contracts: 65b, 68b, 57c-wfapi). */
class StageLog {
    private final LiveBuild build
    private int last = 0
    /** Numbers of the stages that a stage stands in, by its own. */
    private final Map<Integer, String> warnings = [:]
    private final Map<Integer, Boolean> skipped = [:]
    private final ThreadLocal<List<Integer>> open = new InheritableThreadLocal<List<Integer>>() {
        @Override
        protected List<Integer> initialValue() { [] }
    }

    StageLog(LiveBuild build) { this.build = build }

    Object around(Closure body) {
        int number = ++last
        def outer = open.get()
        open.set(outer + [number])
        build.tell('stage', [number: number, path: build.context.path, parent: outer ? outer[-1] : null])
        Throwable failure = null
        try {
            body.call()
        } catch (Throwable thrown) {
            failure = thrown
            throw thrown
        } finally {
            build.tell('stage-end', [number: number, status: status(number, failure)])
            open.set(outer)
        }
    }

    private String status(int number, Throwable failure) {
        if (skipped[number]) { return 'NOT_EXECUTED' }
        def own = failure == null ? 'SUCCESS' : LiveBuild.resultOf(failure)
        def worst = CurrentBuild.worst([own, warnings[number]])
        worst == 'FAILURE' ? 'FAILED' : worst
    }

    /** Only this stage is marked: the stage view shows its own steps. */
    void skip() { skipped[open.get()[-1]] = true }

    void warn(String result) { open.get().each { warnings[it] = CurrentBuild.worst([warnings[it], result]) } }

    String warningHere() { open.get() ? warnings[open.get()[-1]] : null }
}
