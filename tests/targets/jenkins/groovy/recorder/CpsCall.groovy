package recorder

import com.cloudbees.groovy.cps.Continuable
import com.cloudbees.groovy.cps.Outcome
import com.cloudbees.groovy.cps.impl.CpsCallableInvocation
import com.cloudbees.groovy.cps.impl.CpsCallableInvocation.MismatchHandler

/** Runs code that Jenkins' compiler has rewritten: called plainly, it only throws what is to be interpreted. */
class CpsCall {
    static Object run(Closure call) {
        try {
            call.call()
        } catch (CpsCallableInvocation rewritten) {
            CpsCallableInvocation.registerMismatchHandler(CpsCall.&refuse as MismatchHandler)  // one a thread
            new Continuable(rewritten.asBlock()).run0(new Outcome(null, null), Continuable.categories).replay()
        }
    }

    /** Rewritten code was called by code that is not: Jenkins logs this and goes on with a wrong value, here it is an error. */
    private static void refuse(Object receiver, String expected, Object caught, String actual) {
        throw new IllegalStateException("expected to call ${receiver?.class?.name}.$expected but wound up catching $actual")
    }
}
