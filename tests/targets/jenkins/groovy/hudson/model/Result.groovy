package hudson.model

/** Stands for Jenkins' class of this name. */
enum Result {
    SUCCESS, UNSTABLE, FAILURE, NOT_BUILT, ABORTED
}
