package org.jenkinsci.plugins.workflow.steps

/** Stands for Jenkins' class of this name: a time-out, an abort, a refused approval. */
class FlowInterruptedException extends InterruptedException {
    FlowInterruptedException(String message) { super(message) }
}
