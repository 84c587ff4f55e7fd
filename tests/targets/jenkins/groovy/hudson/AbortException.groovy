package hudson

/** Stands for Jenkins' class of this name: a step failed, and its message says why. */
class AbortException extends IOException {
    AbortException(String message) { super(message) }
}
