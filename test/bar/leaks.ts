import { indexPath } from '../../src/protocol/name.ts'
import { downloadPath } from '../http/proxied.ts'
import { download } from '../support/download.ts'
import { between, pick, randomFrom } from '../support/random.ts'
import { startUplink, type Uplink } from '../support/uplink.ts'
import { CRATE_FAULTS } from '../support/uplink-fault-cases.ts'
import { exactly, type Figure } from './figures.ts'
import { baseline, leftovers } from './leftovers.ts'
import { type RegistryProcess, startRegistryProcess } from './registry-process.ts'
import { stormOptions } from './storm.ts'
import { bounded, type Context, stormCrates } from './storm-uplink.ts'

const PARALLEL = 50
const SEED = 4711

/** Clients that leave at any byte, HEADs, and fetches that fail, of crates that are here and of those that are not. */
export async function leakFigures(
  context: Context,
  { each }: { readonly each: number },
): Promise<readonly Figure[]> {
  const uplink = await startLeakUplink(context)
  const registry = await startRegistryProcess(context, stormOptions(uplink, 0))
  return leavingFigures({ registries: [registry], uplink, seen: uplink, each })
}

/** Small crates and some large ones, of two kinds; see `stormOptions`. */
export function startLeakUplink(context: Context): Promise<Uplink> {
  return startUplink(context, { crates: stormCrates(randomFrom(SEED), 100), seed: SEED })
}

export interface LeavingSpec {
  /** Each client asks any of them. */
  readonly registries: readonly RegistryProcess[]
  readonly uplink: Uplink
  /** What of the uplink's requests and connections is not the registries' to give back. */
  readonly seen: Pick<Uplink, 'requests' | 'connections'>
  readonly each: number
}

/** What clients who leave, HEADs, and fetches that fail leave behind at each of some registries. */
export async function leavingFigures({
  registries,
  uplink,
  seen,
  each,
}: LeavingSpec): Promise<readonly Figure[]> {
  const random = randomFrom(SEED)
  const versions = [...uplink.versions()]
  const names = new Set(versions.map(({ name }) => name))
  for (const { url } of registries) for (const name of names) await download(`${url}/${indexPath(name)}`)
  const stages = await Promise.all(
    registries.map(async (registry, n) => ({
      registry,
      before: await baseline(registry),
      name: registries.length === 1 ? '' : `, replica ${n + 1}`,
    })),
  )
  const loose = versions.filter(({ name }) => name.startsWith('loose-'))
  const any = (of = versions) => {
    const { name, version, bytes } = pick(random, of)
    return { url: pick(random, registries).url + downloadPath(name, version), size: bytes?.length ?? 0 }
  }
  const left = async (title: string) =>
    (
      await Promise.all(
        stages.map(({ registry, before, name }) => leftovers(title + name, registry, seen, before)),
      )
    ).flat()

  await inParallel(each, async () => {
    const { url, size } = any()
    await download(url, { leaveAfter: random() < 0.3 ? 0 : between(random, 1, size), keep: false })
  })
  const afterLeaving = await left(`${each} clients that leave`)
  await inParallel(each, () => download(any().url, { method: 'HEAD' }))
  const afterHeads = await left(`${each} HEADs`)
  spoilAll(uplink, random)
  await inParallel(each, () => download(any(loose).url, { keep: false }))
  uplink.heal()
  const afterFaults = await left(`${each} downloads with a faulty uplink`)
  return [
    ...afterLeaving,
    ...afterHeads,
    ...afterFaults,
    exactly('crashes and unhandled rejections', registries.filter((one) => !one.isRunning()).length, 0),
  ]
}

function spoilAll(uplink: Uplink, random: () => number): void {
  const faults = CRATE_FAULTS.filter(({ fault: { mode } }) => !['ok', 'delay', '429'].includes(mode))
  uplink.fault(/^\/crates\//, () => bounded(pick(random, faults).fault))
}

async function inParallel(count: number, work: () => Promise<unknown>): Promise<void> {
  let left = count
  const worker = async () => {
    while (left-- > 0) await work()
  }
  await Promise.all(Array.from({ length: PARALLEL }, worker))
}
