package doubles

import groovy.json.JsonSlurper
import recorder.Interleaver

/**
 * Runs builds, many at once. One JSON object a line, in and out:
 *
 *     in:  {"build": id, "text", "params", "env", "restart", "previous", "scm"}   starts one
 *          {"reply": n, "value": ...} or {"reply": n, "failed": {...}}            answers a question
 *     out: {"build": id, "ask": n, "effect": name, ...}                           a question: what a step does outside Groovy
 *          {"build": id, "tell": name, ...}                                       news that need no answer
 */
class Main {
    static void main(String[] arguments) {
        def channel = new Channel(new PrintStream(System.out, true, 'UTF-8'))
        System.setOut(System.err)  // whatever a Jenkinsfile prints must not look like a question
        System.in.eachLine('UTF-8') { line ->
            def message = new JsonSlurper().parseText(line)
            if (message.containsKey('reply')) { channel.answer(message) } else { start(message, channel) }
        }
    }

    private static void start(Map request, Channel channel) {
        def thread = new Thread(null, { new LiveBuild(request, channel).run() }, "build $request.build", Interleaver.STACK_BYTES)
        thread.daemon = true
        thread.start()
    }
}
