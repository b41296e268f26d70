import { test } from 'node:test'
import { killLosesNothing } from './crash.ts'
import { crowdOnDisk } from './crowd.ts'
import { npmAndCargoShare } from './everyday.ts'
import { install, type VerdaccioVersion } from './install.ts'
import { hostRulesDecide, jwtExpires, ownRulesDecide } from './rights.ts'
import { mistakesStopTheStart, mountMoves } from './starting.ts'
import { npmAnswersAreTheSame, npmIsUndisturbed } from './steadiness.ts'
import { tokensAreVerdaccios } from './tokens.ts'

const LONGEST_MS = 600_000

/** Declares everything that holds in each version of Verdaccio, after one installation. */
export function declareSuite(version: VerdaccioVersion): void {
  test(`inside Verdaccio ${version}`, { timeout: LONGEST_MS }, async (suite) => {
    const installed = await install(suite, version)
    await suite.test('npm and cargo share everything', (t) => npmAndCargoShare(t, installed))
    await suite.test('tokens are those of npm', (t) => tokensAreVerdaccios(t, installed))
    await suite.test('a mistake stops the start', (t) => mistakesStopTheStart(t, installed))
    await suite.test("npm's answers are the same without it", (t) => npmAnswersAreTheSame(t, installed))
    await suite.test('npm is undisturbed by what cargo does', (t) => npmIsUndisturbed(t, installed))
    await suite.test("the host's rules decide", (t) => hostRulesDecide(t, installed))
    await suite.test("the plugin's rules decide", (t) => ownRulesDecide(t, installed))
    await suite.test('tokens expire', (t) => jwtExpires(t, installed))
    await suite.test('crowds on the disk lose nothing', (t) => crowdOnDisk(t, installed))
    await suite.test('kill -9 loses nothing that was acknowledged', (t) => killLosesNothing(t, installed))
    await suite.test('it can be elsewhere', (t) => mountMoves(t, installed))
  })
}
