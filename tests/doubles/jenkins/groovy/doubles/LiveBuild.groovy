package doubles

import hudson.AbortException
import java.util.concurrent.locks.ReentrantLock
import org.codehaus.groovy.control.MultipleCompilationErrorsException
import org.jenkinsci.plugins.workflow.steps.FlowInterruptedException
import recorder.*

/**
 * One build: the file itself, run by Jenkins' CPS interpreter, its steps with real effects.
 *
 * Branches of `parallel` are threads, of which one runs Groovy at any time; the lock is let go while a step's effect is
 * under way (contracts: quirks/parallel-workspaces; Pipeline manual: "all Groovy runs in one thread").
 */
class LiveBuild extends Recorder {
    final CurrentBuild build
    final StageLog stages = new StageLog(this)
    /** Set by the option `preserveStashes`. */
    final Map<String, Object> properties = [:]
    final String restart
    private final String id
    private final String text
    private final boolean hasScm
    private int pipelines = 0
    private final Channel channel
    private final ReentrantLock turn = new ReentrantLock(true)
    /** While an `environment` block is read: what its steps gave, so that each runs once; null elsewhere. */
    private final ThreadLocal<Map> environmentSteps = new ThreadLocal<Map>()
    private final ThreadLocal<Boolean> scouting = new ThreadLocal<Boolean>()

    LiveBuild(Map request, Channel channel) {
        super([params: request.params, env: [:], answers: [], seed: null])
        globalEnv.clear()
        globalEnv.putAll(request.env)
        this.channel = channel
        id = request.build
        text = request.text
        hasScm = request.scm
        restart = request.restart
        build = new CurrentBuild(request.number, request.previous)
        steps = new LiveSteps(this)
    }

    void run() {
        turn.lock()
        Map last = [:]
        contexts.set(new LiveContext())
        try {
            last = outcome()
        } catch (Throwable failure) {
            last = [refused: failure instanceof Refused ? failure.message : "$failure at ${failure.stackTrace.take(8)}".toString()]
        } finally {
            turn.unlock()
            tell('finished', last + [properties: properties.collectEntries { name, given -> [name, Values.plain(given)] }])
        }
    }

    private Map outcome() {
        Throwable failure = null
        def errors = lint()
        if (!errors) {
            say('[Pipeline] Start of Pipeline')
            failure = execution()
            say('[Pipeline] End of Pipeline')
        }
        errors.each { say(it) }
        if (failure && !(failure instanceof FlowInterruptedException && failure.told)) { say(describe(failure)) }
        build.result = errors ? 'FAILURE' : resultOf(failure)
        [result: build.currentResult, error: failure?.message ?: errors.join('\n') ?: null]
    }

    /** A declarative file that the validator rejects doesn't start (quirks with lint=FAIL and run=FAILURE). */
    private List<String> lint() {
        def source = new Source(text)
        def model = new PipelineReader(source).read()
        model == null && source.readable ? [] : source.errors
    }

    private Throwable execution() {
        try {
            def script = Server.shell().parse(text, Source.NAME + '.groovy')
            script.__recorder = this
            CpsCall.run { script.run() }
            null
        } catch (MultipleCompilationErrorsException failure) {
            new AbortException(Source.messages(failure).join('\n'))
        } catch (Exception failure) {
            failure
        }
    }

    static String resultOf(Throwable failure) {
        failure == null ? 'SUCCESS' : failure instanceof FlowInterruptedException ? failure.result : 'FAILURE'
    }

    /** How the last lines of the console say it (quirks/sh-exit-code, quirks/options-on-stage, quirks/two-pipelines). */
    private static String describe(Throwable failure) {
        if (failure instanceof AbortException) { return "ERROR: $failure.message" }
        failure instanceof FlowInterruptedException ? failure.message : "$failure"
    }

    @Override
    Object call(String name, List arguments) {
        def known = environmentSteps.get()
        if (known == null || !collector || !Catalogue.STEPS[name]) { return super.call(name, arguments) }
        if (scouting.get()) { return '' }
        known.computeIfAbsent("$name $arguments".toString()) { inContext(context) { steps.run(name, arguments) } }
    }

    /** The variables of an `environment` block but its credentials. Its steps run once (quirks/env-call-count). */
    Map<String, Object> readEnvironment(Closure body) {
        environmentSteps.set([:])
        try {
            body.call()
        } finally {
            environmentSteps.remove()
        }
    }

    /** The ids that an `environment` block names by `credentials('id')`, by variable. None of its steps is run for this. */
    Map<String, String> secretsOf(Closure block) {
        scouting.set(true)
        try {
            def assigned = readEnvironment { assignments(block, [:], true) }
            assigned.findAll { Directives.isCredentials(it.value) }.collectEntries { name, call -> [name, "${call.arguments[0]}".toString()] }
        } finally {
            scouting.remove()
        }
    }

    /** Credentials are bound, not assigned: whoever reads the variable gets what is bound. */
    @Override
    boolean assign(String name, Object value) {
        collector && !scouting.get() && Directives.isCredentials(value) ? true : super.assign(name, value)
    }

    /** facts/jenkins.md 2.6: in the first run a parameter's default is in `params`, and no variable of the environment. */
    void declare(List<Map> parameters) {
        parameters.each { one ->
            def first = one.choices instanceof List ? one.choices[0] : one.choices?.toString()?.readLines()?.find()
            params.putIfAbsent(one.name, one.choices ? first : one.defaultValue)
        }
    }

    @Override
    protected Object runPipeline(Closure body) {
        if (++pipelines > 1) { throw new MissingPropertyException('any', Binding) }  // quirks/two-pipelines
        new LiveDeclarative(this, steps).run(body)
    }

    @Override
    void record(Map event) { }

    @Override
    Object variable(String name) {
        switch (name) {
            case 'currentBuild': return build
            case 'docker': throw new Refused('containers: no agent of this double has Docker')
            case 'scm':
                if (!hasScm) {  // quirks/checkout-scm-inline
                    fail('‘checkout scm’ is only available when using “Multibranch Pipeline” or “Pipeline script from SCM”')
                }
                return [$symbol: 'scm']
            default: return super.variable(name)
        }
    }

    boolean isHasScm() { hasScm }

    /** Inside an `environment` block `env.X` knows what the block sets itself (quirks/env-self-multi). */
    @Override
    String environmentVariable(String name) {
        def own = collector?.assigned?.get(name) ?: collector?.known?.get(name)
        own == null ? super.environmentVariable(name) : "$own".toString()
    }

    @Override
    Map<String, String> allEnvironment() { (context.allocation?.env ?: [:]) + globalEnv + context.env }

    /** Lets the other process do something, and other branches run meanwhile. */
    Object effect(String name, Map about = [:]) {
        def place = context.place(allEnvironment())
        turn.unlock()
        try {
            channel.ask([build: id, effect: name, place: place] + about)
        } finally {
            turn.lock()
        }
    }

    void tell(String news, Map about) { channel.tell([build: id, tell: news] + about) }

    void say(String line) { tell('say', [line: line, bindings: context.bindings]) }

    @Override
    void branches(List<Closure> bodies) {
        def start = context
        def threads = bodies.collect { body -> branch(start, body) }
        turn.unlock()
        try {
            threads*.join()
        } finally {
            turn.lock()
        }
    }

    /** Starts a branch; it is in line for its turn before the next one is started. */
    private Thread branch(Context start, Closure body) {
        def thread = new Thread(null, {
            turn.lock()
            try {
                inContext(start, body)
            } finally {
                turn.unlock()
            }
        }, 'branch', Interleaver.STACK_BYTES)
        thread.daemon = true
        thread.start()
        while (!turn.hasQueuedThread(thread) && thread.alive) { Thread.sleep(0, 100_000) }
        thread
    }
}
