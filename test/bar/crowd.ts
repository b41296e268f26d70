import { downloadPath, largeCrate, proxyOptions } from '../http/proxied.ts'
import { startApp } from '../support/app.ts'
import { type CrateFile, crateFile } from '../support/crate-file.ts'
import { type Download, download, sha256 } from '../support/download.ts'
import { startUplink } from '../support/uplink.ts'
import type { Fault } from '../support/uplink-faults.ts'
import { atMost, exactly, type Figure } from './figures.ts'

/** All those who want the same crate at once. */
export interface Crowd {
  readonly clients: number
  readonly crate: CrateFile
  /** The first client leaves after so many bytes of the body. */
  readonly firstLeavesAfter?: number
  /** What the uplink does to the first fetches. */
  readonly fault?: Fault
  readonly times?: number
}

export interface CrowdOutcome {
  readonly fetches: number
  readonly right: number
  /** Clients that were told to try again, or whose answer was cut short. */
  readonly failed: number
  /** Of those who ask again afterwards, once the uplink is well. */
  readonly rightAgain: number
  /** Milliseconds from the end of the fetch to the end of the slowest answer. */
  readonly lag: number
}

type Context = Parameters<typeof startApp>[0]
const CRATE = downloadPath('foo', '1.0.0')
const LARGE = largeCrate('foo', '1.0.0', 700 * 1024)

/** What a crowd before a cold registry gets, while the uplink waits until all of them have asked. */
export async function watchCrowd(context: Context, crowd: Crowd): Promise<CrowdOutcome> {
  const uplink = await startUplink(context, { crates: [crowd.crate] })
  const app = await startApp(context, { options: proxyOptions(uplink) })
  const path = uplink.cratePath('foo', '1.0.0')
  await app.request('/3/f/foo')
  let asked = 0
  app.server.on('request', () => {
    asked += 1
  })
  if (crowd.fault !== undefined) uplink.fault(path, crowd.fault, crowd.times)
  const release = uplink.hold(path)
  const ask = (leaveAfter?: number) =>
    download(app.url + CRATE, { keep: false, ...(leaveAfter !== undefined && { leaveAfter }) })
  const leaver = crowd.firstLeavesAfter === undefined ? undefined : ask(crowd.firstLeavesAfter)
  if (leaver !== undefined) while (uplink.hits(path) === 0) await pause()
  if (crowd.firstLeavesAfter === 0) await leaver
  const asking = Array.from({ length: crowd.clients }, () => ask())
  while (asked < crowd.clients + (leaver === undefined ? 0 : 1)) await pause()
  release()
  const isFetched = () => uplink.requests.some((it) => it.path === path && it.ended !== undefined)
  while (!isFetched()) await pause()
  const fetched = performance.now()
  const got = await Promise.all(asking)
  const lag = performance.now() - fetched
  await leaver
  const fetches = uplink.hits(path)
  uplink.heal()
  const again = await Promise.all(Array.from({ length: crowd.clients }, () => ask()))
  const cksum = sha256(crowd.crate.bytes())
  const count = (of: readonly Download[], is: (it: Download) => boolean) => of.filter(is).length
  const isRight = (it: Download) => it.status === 200 && it.whole && it.sha256 === cksum
  return {
    fetches,
    right: count(got, isRight),
    failed: count(got, isFailure),
    rightAgain: count(again, isRight),
    lag,
  }
}

/** One fetch, and everybody is right. */
export async function crowdFigures(
  context: Context,
  { clients, timed = true }: { readonly clients: number; readonly timed?: boolean },
): Promise<readonly Figure[]> {
  const figures: Figure[] = []
  for (const [what, more] of [
    ['small crate', { crate: crateFile('foo') }],
    ['crate of 700 KiB', { crate: LARGE }],
    ['the first client leaves at once', { crate: LARGE, firstLeavesAfter: 0 }],
    ['the first client leaves in the middle', { crate: LARGE, firstLeavesAfter: 100_000 }],
  ] as const) {
    const outcome = await watchCrowd(context, { clients, ...more })
    const name = (figure: string) => `${clients} clients, ${what}: ${figure}`
    figures.push(
      exactly(name('uplink requests'), outcome.fetches, 1),
      exactly(name('right answers'), outcome.right, clients),
    )
    const limit = lagLimit(clients, more.crate)
    if (timed) figures.push(atMost(name('slowest after the fetch'), outcome.lag, limit, 'ms'))
  }
  const failing = await watchCrowd(context, { clients, crate: LARGE, fault: { mode: 'reset-at', byte: 0 } })
  figures.push(
    atMost(`${clients} clients, the fetch fails: uplink requests`, failing.fetches, 3),
    exactly(`${clients} clients, the fetch fails: told to try again`, failing.failed, clients),
    exactly(`${clients} clients, the fetch fails: right when they do`, failing.rightAgain, clients),
  )
  return figures
}

/** Clients and server share one process here: so much of the time is the clients', who hash what they get. */
function lagLimit(clients: number, crate: CrateFile): number {
  return 250 + (clients * crate.bytes().length) / 100_000
}

/** Cargo tries again. */
function isFailure({ status, whole, headers }: Download): boolean {
  return status === 503 ? whole && headers['retry-after'] !== undefined : !whole
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 5))
}
