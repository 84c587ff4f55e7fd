package doubles

/** Why a stage does not run, and whether the stage view shows it as not executed (contracts: 68b, 65g, 96e). */
class Skip {
    String why
    boolean notExecuted
    String restart

    static Skip failure() { new Skip(why: 'earlier failure(s)') }

    static Skip unstable() { new Skip(why: 'earlier stage(s) marking the build as unstable') }

    static Skip condition() { new Skip(why: 'when conditional', notExecuted: true) }

    static Skip restart(String stage) { new Skip(why: "this build restarting at stage \"$stage\"", notExecuted: true, restart: stage) }
}
