import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { crateFile } from '../support/crate-file.ts'
import { between, randomFrom } from '../support/random.ts'
import { type Client, clientOf } from './client.ts'
import { startVerdaccio, type Verdaccio } from './host.ts'
import type { Installation } from './install.ts'
import { signUp } from './npm.ts'

const KILLS = 3
const PUBLISHERS = 4
const IMMEDIATE_MS = 5_000
/** A lock that somebody left behind would cost two minutes. */
const LOCKED_MS = 60_000
/** How much longer than one with nothing to put right a start may take on a machine with other things to do. */
const TOLERANCE = 3

/** Killed in the middle of publishes: what was acknowledged is there, and what is there is whole. */
export async function killLosesNothing(t: TestContext, installed: Installation): Promise<void> {
  const random = randomFrom(20_261_126)
  const verdaccio = await startVerdaccio(t, installed)
  const client = clientOf(verdaccio.url, await signUp(verdaccio.origin, 'zoe'))
  const accepted: (readonly [name: string, version: string])[] = []
  for (let round = 0; round < KILLS; round++) {
    const before = accepted.length
    const publishing = Array.from({ length: PUBLISHERS }, (_, n) =>
      publishUntilKilled(client, `crate-${round}-${n}`, accepted),
    )
    while (accepted.length < before + PUBLISHERS) await sleep(5)
    await sleep(between(random, 0, 100))
    await verdaccio.kill()
    await Promise.all(publishing)
    await startsAtOnce(verdaccio)
  }
  assert.ok(accepted.length >= KILLS * PUBLISHERS)
  const names = [...new Set(accepted.map(([name]) => name))]
  for (const name of names) {
    const versions = (await client.versions(name)) ?? new Map<string, string>()
    for (const [of, version] of accepted)
      if (of === name) assert.ok(versions.has(version), `${name} ${version} was acknowledged`)
    for (const [version, cksum] of versions)
      assert.equal(await client.download(name, version), cksum, `${name} ${version}`)
    assert.equal(await client.publish(crateFile(name, '9.0.0')), 200)
  }
}

async function startsAtOnce({ start, kill }: Verdaccio): Promise<void> {
  const took = await start()
  if (took < IMMEDIATE_MS) return
  await kill()
  const again = await start()
  const most = Math.min(TOLERANCE * again, LOCKED_MS)
  assert.ok(took < most, `started in ${took} ms, and the next time in ${again} ms`)
}

async function publishUntilKilled(
  client: Client,
  name: string,
  accepted: (readonly [string, string])[],
): Promise<void> {
  for (let patch = 0; ; patch++) {
    const version = `1.0.${patch}`
    const status = await client.publish(crateFile(name, version)).catch(() => undefined)
    if (status === undefined) return
    assert.equal(status, 200)
    accepted.push([name, version])
  }
}
