package doubles

import hudson.AbortException
import org.jenkinsci.plugins.workflow.steps.FlowInterruptedException
import recorder.*

/** Steps with their real effects. Blocks are followed here; what touches files, processes or agents is asked for outside. */
class LiveSteps extends StepRunner {
    private static final List<String> OUTSIDE = ['sh', 'checkout', 'stash', 'unstash', 'junit', 'archiveArtifacts', 'readFile', 'writeFile',
        'fileExists', 'deleteDir', 'sleep', 'milestone', 'input']

    private final LiveBuild live
    private final Blocks blocks

    LiveSteps(LiveBuild live) {
        super(live)
        this.live = live
        blocks = new Blocks(live)
    }

    @Override
    Object run(String name, List arguments) {
        if (name == 'parallel') { return parallel(arguments) }
        if (name in ['print', 'println']) { return run('echo', arguments.collect { "$it".toString() }) }
        def model = Catalogue.STEPS[name]
        if (model == null) { return word(name, arguments) }
        def body = arguments && arguments[-1] instanceof Closure ? arguments[-1] : null
        def plain = body ? arguments[0..<-1] : arguments
        def given = Values.named(plain, model)
        live.effect('step', [name: name])  // where an interruption arrives that found no step under way (quirks/timeout-0)
        live.say("[Pipeline] $name")
        warnOfSecrets(name, plain)
        check(name, model, given, body)
        body ? blocks.run(name, given, body) : simple(name, given)
    }

    private static Object word(String name, List arguments) {
        if (name in SYMBOLS) { return Values.symbol(name, arguments) }
        throw new NoSuchStep("No such DSL method '$name' found among steps ${Catalogue.STEPS.keySet()}")
    }

    @Override
    protected void check(String name, Described model, Map given, Closure body) {
        if (name in NEEDS_NODE && live.context.allocation == null) { throw new MissingContext(name) }
        super.check(name, model, given, body)
    }

    /** quirks/cred-mask: a GString with a secret is warned of, with the variables. */
    private void warnOfSecrets(String name, List arguments) {
        def interpolated = arguments.collectMany { it instanceof Map ? it.values() : [it] }.findAll { it instanceof GString }*.toString()
        if (interpolated && live.context.bindings) { live.effect('interpolated', [name: name, texts: interpolated]) }
    }

    private Object simple(String name, Map given) {
        if (name in OUTSIDE) { return outside(name, given) }
        switch (name) {
            case 'echo':
                live.say("$given.message")
                return null
            case 'error': return Recorder.fail(given.message)
            case 'unstable':
                live.say("WARNING: $given.message")
                return unstable()
            case 'properties': return remember(given.properties)
            case 'pwd': return live.context.folder
            case 'readJSON': if (given.text) { return answer(name, given) }
        }
        throw new Refused("the step '$name': no recording shows what it does")
    }

    private Object outside(String name, Map given) {
        def value = live.effect(name, [arguments: given])
        name == 'junit' ? counted(value) : value
    }

    /** facts/jenkins.md 2.8: a failed test makes the build unstable, later stages still run. */
    private Object counted(Map counts) {
        if (counts.failCount) { unstable() }
        counts
    }

    private Object unstable() {
        live.build.result = 'UNSTABLE'
        live.stages.warn('UNSTABLE')
        null
    }

    Object remember(List<Map> properties) {
        properties.each { live.properties[it.$symbol] = it }
        null
    }

    @Override
    protected Object parallel(List arguments) {
        def failFast = arguments[0].failFast == true
        def bodies = arguments[0].findAll { it.value instanceof Closure }
        live.effect('step', [name: 'parallel'])
        live.say('[Pipeline] parallel')
        if (!bodies) { live.say('No branches to run') }  // quirks/matrix-all-excluded
        def scope = failFast ? live.effect('open-scope') : null
        bodies.keySet().each { live.say("[Pipeline] { (Branch: $it)") }
        Map results = [:]
        List<Throwable> failures = []
        def context = scope ? live.context.inScope(scope) : live.context
        live.inContext(context) {
            live.branches(bodies.collect { name, body -> { -> branch(name, body, results, failures, scope) } })
        }
        live.say('[Pipeline] // parallel')
        def worst = failures.min { severity(it) }
        if (failures) { throw failFast && !(worst instanceof Refused) ? failures[0] : worst }
        results
    }

    /** quirks/failFast-on-parallel: the first failure ends the other branches; without it they go on. */
    private void branch(String name, Closure body, Map results, List<Throwable> failures, String scope) {
        try {
            results[name] = CpsCall.run(body)
            live.say('[Pipeline] }')
        } catch (Throwable failure) {
            live.say('[Pipeline] }')
            live.say("Failed in branch $name")
            failures << failure
            if (scope && failures.size() == 1) { live.effect('cancel-scope', [scope: scope, message: "Failed in branch $name"]) }
        }
    }

    /** workflow-cps, ParallelStep: a failure is worse than an interruption; of equals, the first counts. */
    private static int severity(Throwable failure) { failure instanceof Refused ? -1 : failure instanceof FlowInterruptedException ? 1 : 0 }

    @Override
    Object stage(String name, Closure body) { blocks.stage(name, body) }
}
