import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ObjectStore } from '../../src/host.ts'
import { startApp } from '../support/app.ts'
import type { CrateFile } from '../support/crate-file.ts'
import { crateFile } from '../support/crate-file.ts'
import { type Download, download } from '../support/download.ts'
import { startServer } from '../support/server.ts'
import { startUplink, type Uplink } from '../support/uplink.ts'
import { CRATE_FAULTS, type FaultCase } from '../support/uplink-fault-cases.ts'
import type { FaultMode } from '../support/uplink-faults.ts'
import { downloadPath, largeCrate, proxyOptions, settled, storedBlobs } from './proxied.ts'

const KiB = 1024
const MAX_CRATE = 1024 * KiB
/** Bodies that are only wrong by their checksum, so that somebody has to be told. */
const WRONG = new Set<FaultMode['mode']>(['flip-byte', 'wrong-crate', 'extra-bytes', 'clean-cut', 'empty200'])

const SLOW = new Set<FaultMode['mode']>(['silent', 'drip', 'chunk-noend'])
const TRIES = 4

/** One that limits us would limit the others. */
const FAULTS = CRATE_FAULTS.filter(({ fault }) => fault.mode !== '429')

const MAKERS: Readonly<Record<string, (name: string, version: string) => CrateFile>> = {
  small: crateFile,
  large: (name, version) => largeCrate(name, version, 300 * KiB),
}

/** A registry before an uplink, however it is reached. */
interface Registry {
  readonly url: string
  readonly storage: ObjectStore
  /** Crates of which it was told that a file has another checksum. */
  mismatches(): Promise<ReadonlySet<string>>
}

async function plain(t: TestContext, uplink: Uplink): Promise<Registry> {
  const app = await startApp(t, { options: optionsFor(uplink) })
  return {
    url: app.url,
    storage: app.storage,
    async mismatches() {
      const told = app.events.filter(({ detail }) => detail?.['conflict'] === 'crate_checksum')
      const counted = await app.metrics.getSingleMetric('cargo_integrity_conflicts_total')?.get()
      assert.equal(counted?.values.find(({ labels }) => labels.conflict)?.value, told.length)
      return new Set(told.map(({ crate }) => crate))
    },
  }
}

async function secure(t: TestContext, uplink: Uplink): Promise<Registry> {
  const server = await startServer(t, { transport: 'https', options: optionsFor(uplink) })
  return {
    url: server.url,
    storage: server.storage,
    async mismatches() {
      const told = server.log.filter((line) => line.includes('a crate file has another checksum'))
      return new Set(told.map((line) => JSON.parse(line).crate))
    },
  }
}

function optionsFor(uplink: Uplink) {
  return proxyOptions(uplink, { limits: { proxied: MAX_CRATE } }, { timeout: '800ms' })
}

/** Less of the same fault is enough. */
function bounded(fault: FaultMode): FaultMode {
  if (fault.mode === 'n-encodings') return { ...fault, count: 8 }
  return fault.mode === 'gz-bomb' || fault.mode === 'huge' ? { ...fault, bytes: 8 * MAX_CRATE } : fault
}

const WAYS = [
  { way: 'HTTP/1.1 from HTTP/1.1', start: plain, h2: false },
  { way: 'HTTP/2 from HTTP/1.1', start: secure, h2: false },
  { way: 'HTTP/1.1 from HTTP/2', start: plain, h2: true },
] as const

for (const [size, make] of Object.entries(MAKERS)) {
  for (const { way, start, h2 } of WAYS) {
    test(`no fault of an uplink makes a ${size} crate end wrongly: ${way}`, async (t) => {
      const cases = FAULTS.map((it, n) => ({ ...it, crate: make(`c${n}`, '1.0.0') }))
      const uplink = await startUplink(t, { crates: cases.map(({ crate }) => crate), h2 })
      const registry = await start(t, uplink)
      const ask = async (it: (typeof cases)[number]) => {
        const { name } = it.crate
        uplink.fault(uplink.cratePath(name, '1.0.0'), bounded(it.fault))
        for (let tries = 1; ; tries++) {
          const got = await download(registry.url + downloadPath(name, '1.0.0'))
          mustNotBeWrong(it, it.crate.bytes(), got)
          // A busy machine makes good answers late.
          if (tries < TRIES && /in time/.test(got.body.toString()) && !SLOW.has(it.fault.mode)) continue
          judge(it, got)
          break
        }
      }
      // Over HTTP/2 a fault may end the connection that the others are on.
      if (h2) for (const it of cases) await ask(it)
      else await Promise.all(cases.map(ask))
      const mismatches = await registry.mismatches()
      for (const { crate, fault } of cases)
        if (WRONG.has(fault.mode)) assert.ok(mismatches.has(crate.name), fault.mode)
      assert.deepEqual((await storedBlobs(registry.storage)).wrong, [])

      uplink.heal()
      for (const { crate, fault } of cases) {
        const again = await download(registry.url + downloadPath(crate.name, '1.0.0'))
        const where = `${JSON.stringify(fault)}: ${again.status} ${again.body.subarray(0, 200)}`
        assert.ok(again.whole && again.body.equals(crate.bytes()), where)
      }
      await settled(async () => (await storedBlobs(registry.storage)).sound.length, cases.length)
    })
  }
}

test('an uplink that limits us is obeyed for as long as it says, and its limit passed on', async (t) => {
  const crates = [crateFile('foo'), crateFile('bar')]
  const uplink = await startUplink(t, { crates })
  const app = await startApp(t, { options: optionsFor(uplink) })
  uplink.fault(uplink.cratePath('foo', '1.0.0'), { mode: '429', retryAfter: 1 }, 1)
  for (const { name } of crates) {
    await app.request(`/3/${name[0]}/${name}`)
    const { status, headers } = await app.request(downloadPath(name, '1.0.0'))
    assert.deepEqual([status, headers.get('retry-after')], [429, '1'])
  }
  assert.equal(uplink.hits(/^\/crates/), 1)
  await sleep(1000)
  assert.equal((await download(app.url + downloadPath('foo', '1.0.0'))).status, 200)
})

/** Whatever happens, nobody completes a body that is not the crate. */
function mustNotBeWrong({ fault }: FaultCase, bytes: Buffer, { status, body, whole }: Download): void {
  const isWrong = status === 200 && whole && !body.equals(bytes)
  assert.ok(!isWrong, `${JSON.stringify(fault)}: a complete wrong body`)
}

/** What may come of a fault beside that. */
function judge({ fault, right }: FaultCase, { status, headers, body, whole }: Download): void {
  const where = `${JSON.stringify(fault)}: ${status} ${body.subarray(0, 200)}`
  if (status === 200 && whole) {
    assert.notEqual(right, 'never', where)
    return
  }
  assert.notEqual(right, 'always', where)
  if (status === 200) {
    assert.ok(body.length > 0, `${where}: nothing was sent, which a status could tell`)
    return
  }
  assert.ok(whole, where)
  const absent = ['404', '410', '451'].includes(fault.mode)
  assert.ok(absent ? status === 404 : status === 503 || status === 429, where)
  if (!absent) assert.ok(Number(headers['retry-after']) > 0, where)
  assert.equal(headers['cache-control'], 'no-store', where)
  assert.equal(headers['etag'], undefined, where)
  assert.equal(typeof JSON.parse(body.toString()).errors[0].detail, 'string')
}
