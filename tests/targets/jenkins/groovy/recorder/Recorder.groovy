package recorder

import hudson.AbortException

/**
 * Runs a Jenkinsfile and keeps what happened, in order. Nothing is built: steps answer from the request's `answers`, or
 * with the value a successful step would give.
 */
class Recorder {
    /** What Jenkins itself puts into every build's environment. */
    static final Map<String, String> BASE_ENV = [
        BUILD_NUMBER: '1', BUILD_ID: '1', BUILD_TAG: 'jenkins-job-1', BUILD_URL: 'http://jenkins/job/job/1/', JOB_NAME: 'job',
        JOB_BASE_NAME: 'job', JOB_URL: 'http://jenkins/job/job/', JENKINS_URL: 'http://jenkins/', EXECUTOR_NUMBER: '0',
        NODE_NAME: 'node', WORKSPACE: '/workspace', WORKSPACE_TMP: '/workspace@tmp', HOME: '/home/jenkins', PATH: '/usr/bin:/bin',
        STAGE_NAME: '',
    ]

    final List<Map> events = []
    final Map<String, Object> params
    final Map<String, String> globalEnv
    final List<Map> answers
    final Interleaver interleaver
    final Map<String, Object> currentBuild = [result: null, currentResult: 'SUCCESS', number: 1, displayName: '#1', description: null]
    final Set<String> stashes = []
    boolean declarative

    protected final ThreadLocal<Context> contexts = ThreadLocal.withInitial { new Context() }
    /** Where words go while a directive's block is read instead of run. */
    protected final ThreadLocal<Collector> collectors = new ThreadLocal<Collector>()
    protected StepRunner steps = new StepRunner(this)

    Recorder(Map request) {
        params = new LinkedHashMap(request.params ?: [:])
        globalEnv = BASE_ENV + (request.env ?: [:])
        answers = request.answers ?: []
        interleaver = new Interleaver(request.seed as Long)
    }

    Context getContext() { contexts.get() }

    Object inContext(Context next, Closure body) {
        def before = contexts.get()
        def collecting = collectors.get()
        contexts.set(next)
        collectors.remove()
        try {
            CpsCall.run(body)
        } finally {
            contexts.set(before)
            collectors.set(collecting)
        }
    }

    /** Runs all bodies, each from this context; when some fail, the others still end, then the first failure is thrown. */
    void branches(List<Closure> bodies) {
        def start = context
        List<Throwable> failures = []
        interleaver.runAll(bodies.collect { body ->
            ({
                try {
                    inContext(start, body)
                } catch (Throwable failure) {
                    failures << failure
                }
            } as Runnable)
        })
        if (failures) { throw failures[0] }
    }

    /** The words of a block, with their evaluated arguments; blocks among these are not run. */
    List<Map> collect(Closure body) { collecting(new Collector(), body).calls }

    /** The assignments of a block, read with values for names that are otherwise unknown, or with these left empty. */
    Map<String, Object> assignments(Closure body, Map<String, Object> known, boolean lenient) {
        collecting(new Collector(runsSteps: true, known: known, lenient: lenient), body).assigned
    }

    protected Collector collecting(Collector collector, Closure body) {
        def before = collectors.get()
        collectors.set(collector)
        try {
            CpsCall.run(body)
        } finally {
            collectors.set(before)
        }
        collector
    }

    Object call(String name, List arguments) {
        if (name == 'pipeline' && arguments.size() == 1 && arguments[0] instanceof Closure) {
            declarative = true
            return runPipeline(arguments[0])
        }
        def collector = collectors.get()
        if (collector && !(collector.runsSteps && Catalogue.STEPS[name])) { return collector.add(name, arguments) }
        steps.run(name, arguments)
    }

    protected Object runPipeline(Closure body) { new DeclarativeRun(this).run(body) }

    protected Collector getCollector() { collectors.get() }

    void record(Map event) { events << event + context.describe() }

    boolean assign(String name, Object value) {
        def collector = collectors.get()
        if (collector) { collector.assigned[name] = value }
        collector != null
    }

    Object variable(String name) {
        def collector = collectors.get()
        if (collector && name in ['any', 'none']) { return name }
        if (collector?.assigned?.containsKey(name)) { return collector.assigned[name] }
        if (name == 'env') { return new Environment(this) }
        if (name == 'params') { return params }
        if (name == 'currentBuild') { return currentBuild }
        if (name == 'docker') { return new Docker(this) }
        if (name == 'scm') { return [$symbol: 'scm'] }
        def value = environmentVariable(name)
        if (value != null) { return value }
        if (params.containsKey(name)) { return params[name] }
        if (collector?.known?.containsKey(name)) { return collector.known[name] }
        if (collector?.lenient) { return '' }
        throw new MissingPropertyException(name, Binding)
    }

    String environmentVariable(String name) { allEnvironment()[name] }

    Map<String, String> allEnvironment() { globalEnv + context.env }

    /** The answer the request holds for a step, by the step's name and a part of its main argument. */
    Map answer(String step, String about) {
        answers.find { it.step == step && (it.match == null || about.contains(it.match)) }
    }

    static void fail(String message) { throw new AbortException(message) }
}
