package doubles

import groovy.json.JsonOutput
import hudson.AbortException
import java.util.concurrent.CompletableFuture
import java.util.concurrent.ConcurrentHashMap
import java.util.concurrent.atomic.AtomicInteger
import org.jenkinsci.plugins.workflow.steps.FlowInterruptedException

/** The conversation with the other process, which does what steps do: shells, files, agents. */
class Channel {
    private final PrintStream out
    private final AtomicInteger last = new AtomicInteger()
    private final Map<Integer, CompletableFuture<Map>> waiting = new ConcurrentHashMap<>()

    Channel(PrintStream out) { this.out = out }

    void tell(Map message) {
        def line = JsonOutput.toJson(message)
        synchronized (this) { out.println(line) }
    }

    /** Waits for the answer; throws what the effect failed with. */
    Object ask(Map message) {
        int number = last.incrementAndGet()
        def future = new CompletableFuture<Map>()
        waiting[number] = future
        tell(message + [ask: number])
        def reply = future.get()
        if (reply.failed) { throw failure(reply.failed) }
        reply.value
    }

    void answer(Map reply) { waiting.remove(reply.reply).complete(reply) }

    private static Throwable failure(Map failed) {
        switch (failed.kind) {
            case 'abort': return new AbortException(failed.message)
            case 'interrupted':
                def interruption = new FlowInterruptedException(failed.message)
                interruption.result = failed.result
                interruption.actualInterruption = failed.actual
                interruption.agentLost = failed.agent_lost
                interruption.scope = failed.scope
                interruption.told = failed.told
                return interruption
            default: return new Refused(failed.message)
        }
    }
}
