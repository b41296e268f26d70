import { test } from 'node:test'
import { killLosesNothing } from './crash.ts'
import { crowdInBucket, crowdInOtherStore, crowdOnDisk } from './crowd.ts'
import { hiddenIsHidden } from './differential.ts'
import { dotsReadNoCrates, npmAndCargoShare } from './everyday.ts'
import { install, type VerdaccioVersion } from './install.ts'
import { hostRulesDecide, jwtExpires, ownRulesDecide } from './rights.ts'
import { mistakesStopTheStart, mountMoves } from './starting.ts'
import { npmAnswersAreTheSame, npmIsUndisturbed } from './steadiness.ts'
import { tokensAreVerdaccios } from './tokens.ts'

const LONGEST_MS = 600_000
const AT_ONCE = 2

/** Declares everything that holds in each version of Verdaccio, after one installation. */
export function declareSuite(version: VerdaccioVersion): void {
  const options = { timeout: LONGEST_MS, concurrency: AT_ONCE }
  test(`inside Verdaccio ${version}`, options, async (suite) => {
    const installed = await install(suite, version)
    await suite.test('npm and cargo share everything', (t) => npmAndCargoShare(t, installed))
    if (version.startsWith('9'))
      await suite.test("npm's routes read no crates with dots in paths", (t) =>
        dotsReadNoCrates(t, installed),
      )
    // Both do little but wait.
    await Promise.all([
      suite.test('tokens are those of npm', (t) => tokensAreVerdaccios(t, installed)),
      suite.test('tokens expire', (t) => jwtExpires(t, installed)),
    ])
    await suite.test('a mistake stops the start', (t) => mistakesStopTheStart(t, installed))
    await suite.test("npm's answers are the same without it", (t) => npmAnswersAreTheSame(t, installed))
    await suite.test('npm is undisturbed by what cargo does', (t) => npmIsUndisturbed(t, installed))
    await suite.test("the host's rules decide", (t) => hostRulesDecide(t, installed))
    await suite.test("the plugin's rules decide", (t) => ownRulesDecide(t, installed))
    await suite.test('crowds on the disk lose nothing', (t) => crowdOnDisk(t, installed))
    await suite.test('crowds in the bucket lose nothing', (t) => crowdInBucket(t, installed))
    await suite.test('crowds in a store of another kind lose nothing', (t) => crowdInOtherStore(t, installed))
    await suite.test('what is hidden is hidden', (t) => hiddenIsHidden(t, installed))
    await suite.test('kill -9 loses nothing that was acknowledged', (t) => killLosesNothing(t, installed))
    await suite.test('it can be elsewhere', (t) => mountMoves(t, installed))
  })
}
