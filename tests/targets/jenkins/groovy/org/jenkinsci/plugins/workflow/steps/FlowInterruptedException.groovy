package org.jenkinsci.plugins.workflow.steps

/** Stands for Jenkins' class of this name: a time-out, an abort, a refused approval, a lost agent. */
class FlowInterruptedException extends InterruptedException {
    String result = 'ABORTED'
    /** Whether the build was told to stop; false for what `retry` may try again. */
    boolean actualInterruption = true
    /** Whether `retry(conditions: [agent()])` tries again. */
    boolean agentLost
    /** The `timeout` or `parallel` that ended its body. */
    String scope
    /** Whether the log says it already. */
    boolean told

    FlowInterruptedException(String message) { super(message) }
}
