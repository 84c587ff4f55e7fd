package recorder

import java.util.concurrent.Semaphore

/**
 * Runs the branches of `parallel` as Jenkins does: one at a time, changing at steps only. Which branch goes on is drawn
 * from a seed; without one, branches run one after the other.
 */
class Interleaver {
    static final long STACK_BYTES = 256L << 20

    private final Random random
    private final List<Semaphore> waiting = []

    Interleaver(Long seed) { random = seed == null ? null : new Random(seed) }

    /** Called before every step: perhaps another branch goes first. */
    void pause() {
        if (!waiting) { return }
        def mine = new Semaphore(0)
        waiting << mine
        wakeOne()
        mine.acquireUninterruptibly()
    }

    /** Runs all tasks to their end. */
    void runAll(List<Runnable> tasks) {
        if (random == null) {
            tasks.each { it.run() }
            return
        }
        if (!tasks) { return }
        int left = tasks.size()
        def joined = new Semaphore(0)
        tasks.each { task ->
            def turn = new Semaphore(0)
            waiting << turn
            startThread {
                turn.acquireUninterruptibly()
                try {
                    task.run()
                } finally {
                    left--  // only one thread runs at any time
                    if (left == 0) { waiting << joined }
                    wakeOne()
                }
            }
        }
        wakeOne()
        joined.acquireUninterruptibly()
    }

    private static void startThread(Runnable body) {
        def thread = new Thread(null, body, 'branch', STACK_BYTES)
        thread.daemon = true
        thread.start()
    }

    private void wakeOne() { waiting.remove(random.nextInt(waiting.size())).release() }
}
