package recorder

import groovy.json.JsonOutput
import groovy.json.JsonSlurper
import org.codehaus.groovy.control.MultipleCompilationErrorsException

/**
 * Answers one JSON request a line, for as long as stdin is open.
 *
 *     {"op": "lint", "text": ...}                                        -> {"errors": [...], "model": {...} or null}
 *     {"op": "run", "text": ..., "params", "env", "answers", "seed"}     -> {"events": [...], "error": text or null}
 *     {"op": "cps", "text": ...}                                         -> {"errors": [...]}
 *     {"op": "evaluate", "texts": [...]}                                 -> {"values": [...], "errors": [...]}
 */
class Server {
    static void main(String[] arguments) {
        def answers = new PrintStream(System.out, true, 'UTF-8')
        System.setOut(System.err)  // whatever a Jenkinsfile prints must not look like an answer
        System.in.eachLine('UTF-8') { line -> answers.println(JsonOutput.toJson(safely { answer(new JsonSlurper().parseText(line)) })) }
    }

    private static Map answer(Map request) {
        switch (request.op) {
            case 'lint': return lint(request.text)
            case 'run': return run(request)
            case 'cps': return [errors: Cps.errors(request.text)]
            case 'evaluate': return evaluate(request.texts)
            default: throw new IllegalArgumentException("no such operation: $request.op")
        }
    }

    private static Map lint(String text) {
        def source = new Source(text)
        def model = new PipelineReader(source).read()
        [errors: source.errors, model: model]
    }

    private static Map run(Map request) {
        def recorder = new Recorder(request)
        def error = null
        try {
            def script = shell().parse(request.text, Source.NAME + '.groovy')
            script.__recorder = recorder
            CpsCall.run { script.run() }
        } catch (MultipleCompilationErrorsException failure) {
            error = Source.messages(failure).join('\n')
        } catch (Throwable failure) {
            error = "${failure.class.name}: $failure.message".toString()
        }
        [events: recorder.events, error: error]
    }

    static GroovyShell shell() {
        def configuration = Cps.configuration(RecordedScript.name)
        configuration.addCompilationCustomizers(new ShadowedWords())
        new GroovyShell(Server.classLoader, new Binding(), configuration)
    }

    /** The values of expressions, each on its own. */
    private static Map evaluate(List<String> texts) {
        List values = []
        List<String> errors = []
        texts.each { text ->
            try {
                values << Values.plain(new GroovyShell(Server.classLoader).evaluate(text))
                errors << null
            } catch (Throwable failure) {
                values << null
                errors << "$failure".toString()
            }
        }
        [values: values, errors: errors]
    }

    /** Runs a request on a deep stack; no Jenkinsfile, however broken, ends the server. */
    private static Map safely(Closure<Map> work) {
        Map result = null
        def worker = new Thread(null, {
            try {
                result = work.call()
            } catch (Throwable failure) {
                result = [crash: "$failure at ${failure.stackTrace.find { it.className.startsWith('recorder') }}".toString()]
            }
        }, 'request', Interleaver.STACK_BYTES)
        worker.start()
        worker.join()
        result
    }
}
