import assert from 'node:assert/strict'
import { Agent } from 'node:http'
import type { TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger, ObjectStore } from '../../../src/host.ts'
import { createAuth } from '../../../src/hosts/auth.ts'
import { memoryStorage } from '../../../src/hosts/memory.ts'
import { crateFile } from '../../support/crate-file.ts'
import { type Download, download } from '../../support/download.ts'
import { startUplink, type Uplink } from '../../support/uplink.ts'
import { downloadPath, largeCrate, proxyOptions, settled } from '../proxied.ts'
import { counted, type Side, startSide, type Way } from './both-routes.ts'

export const ANN = 'token-of-ann'
export const BOB = 'token-of-bob'
/** The crate that only ann may read, where reads need a login. */
export const SECRET = 'acme-secret'
/** An uplink's crate, in sizes that are kept differently while they come. */
export const CRATES = {
  small: crateFile('remote', '1.0.0'),
  large: largeCrate('remote', '1.0.0', 300 * 1024),
  'larger than what stays in memory': largeCrate('remote', '1.0.0', 1500 * 1024),
}
export const FILE = downloadPath('remote', '1.0.0')

/** A registry with an empty store. */
export interface Cold {
  readonly side: Side
  readonly uplink: Uplink
  readonly keeps: boolean
  /** What was logged as errors, but for whose fault it was. */
  readonly errors: { readonly message: string }[]
}

export interface ColdSpec {
  readonly login?: boolean
  /** Whether clients leave their connections open, as cargo does: other code reads their requests. */
  readonly keeps?: boolean
  readonly past: Way
  readonly crate?: ReturnType<typeof crateFile>
  readonly storage?: ObjectStore
}

/** Starts one before an uplink of its own; the index is known. */
export async function startCold(
  t: TestContext,
  { login = false, keeps = false, past, crate, storage = memoryStorage() }: ColdSpec,
): Promise<Cold> {
  const uplink = await startUplink(t, { crates: [crate ?? CRATES.small, crateFile(SECRET, '1.0.0')] })
  const errors: { message: string }[] = []
  const logger: Logger = {
    debug: () => {},
    info: () => {},
    warn: () => {},
    error: ({ err: _, request: __, ...about }: { err?: unknown; request?: string }, message) =>
      void errors.push({ ...about, message }),
  }
  const auth = createAuth({
    staticTokens: [
      { token: ANN, user: 'ann' },
      { token: BOB, user: 'bob' },
    ],
  })
  const host = { auth, storage, logger, publicUrl: () => 'https://crates.example' }
  const options = proxyOptions(uplink, {
    packages: {
      ...(login && { [SECRET]: { access: 'ann', publish: 'ann', proxy: 'up' } }),
      '**': { access: '$all', publish: 'ann', proxy: 'up' },
    },
  })
  const side = await startSide(t, { host, options, past })
  // Cargo knows the index by then, and the host its users.
  for (const authorization of [ANN, BOB])
    for (const path of ['/re/mo/remote', `/ac/me/${SECRET}`])
      await side.ask({ path, headers: { authorization } })
  return { side, uplink, errors, keeps }
}

export interface Asked {
  readonly path?: string
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly leaveAfter?: number
}

/** Answers to those who ask while somebody fetches, without what differs with the time. */
export async function whileFetching({ side, uplink, keeps }: Cold, crowd: readonly Asked[], path = FILE) {
  const release = uplink.hold(/^\/crates/)
  const fetches = uplink.hits(/^\/crates/)
  const agent = new Agent({ keepAlive: keeps })
  const ask = ({ path: other = path, headers, ...more }: Asked) =>
    download(side.url + other, { agent, ...more, headers: { authorization: ANN, ...headers } })
  const first = ask({})
  await settled(() => uplink.hits(/^\/crates/), fetches + 1)
  const { asked } = side.counts()
  const answers = crowd.map(ask)
  await settled(() => side.counts().asked, asked + crowd.length)
  await sleep(50)
  release()
  const all = await Promise.all([first, ...answers])
  assert.equal(side.counts().asked, asked + crowd.length)
  agent.destroy()
  return all.map(plainly)
}

function plainly({ status, whole, body, headers: { date: _, 'x-request-id': __, ...headers } }: Download) {
  return { status, whole, body: body.toString('latin1'), headers }
}

/** What was counted, logged and fetched. */
export async function countsOf({ side, errors, uplink }: Cold) {
  const names = ['requests', 'downloads', 'crate_bytes'].map((name) => `cargo_${name}_total`)
  const metrics = await Promise.all(
    names.map(async (name) => Object.entries(await counted(side, name)).sort()),
  )
  const { body } = await side.ask({
    path: '/api/v1/crates/remote/downloads',
    headers: { authorization: ANN },
  })
  // Whether the store was looked at differs with the time.
  const lookups = Object.values(await counted(side, 'cargo_cache_lookups_total'))
  return {
    ...{ metrics, errors, fetches: uplink.hits(/^\/crates/), counted: JSON.parse(body).version_downloads },
    lookups: lookups.reduce((sum, value) => sum + value, 0),
  }
}
