import type { Writable } from 'node:stream'
import { CargoError } from '../errors.ts'
import type { Logger } from '../host.ts'
import type { IndexDifference } from '../protocol/index-difference.ts'
import { type CrateName, validateName } from '../protocol/name.ts'
import { createCatalogue } from '../registry/catalogue.ts'
import { KEPT_CATALOGUE } from '../registry/keys.ts'
import { acceptCopy, type Comparison, compareWithUplink } from '../registry/upstream/accept.ts'
import { createCopyStore } from '../registry/upstream/copy-store.ts'
import type { Workbench } from '../registry/workbench.ts'
import type { ConfigSources } from './config-sources.ts'
import { Mistake } from './mistake.ts'
import { openWorkbench } from './workbench.ts'

export interface AcceptRequest {
  readonly crate: string
  /** Default: the one whose copy is served. */
  readonly uplink?: string | undefined
  /** Whether the uplink's file is kept from now on, although it contradicts the copy. */
  readonly yes: boolean
}

/** `open`: there is a conflict, and nobody has decided. */
export type AcceptOutcome = 'none' | 'open' | 'accepted'

/**
 * The `accept` command: tells on `out` how an uplink's index file differs from the kept copy, and ends a conflict.
 * @throws {ConfigError | OptionsError | Mistake} for what the operator has to put right
 */
export async function acceptCrate(
  sources: ConfigSources,
  request: AcceptRequest,
  { out, logger }: { readonly out: Writable; readonly logger: Logger },
): Promise<AcceptOutcome> {
  const { bench } = await openWorkbench(sources, logger, { needsRegistry: true })
  try {
    const { lines, outcome } = await settle(bench, request, logger)
    out.write(lines.map((line) => `${line}\n`).join(''))
    return outcome
  } catch (error) {
    // Whatever the uplink or the crate is at fault for is in the message.
    if (error instanceof CargoError) throw new Mistake(error.message, { cause: error })
    throw error
  } finally {
    await bench.close()
  }
}

interface Settled {
  readonly lines: readonly string[]
  readonly outcome: AcceptOutcome
}

async function settle(bench: Workbench, request: AcceptRequest, logger: Logger): Promise<Settled> {
  const name = validateName(request.crate)
  const store = createCopyStore(bench.storage, logger)
  const uplinks = await uplinksOf(bench, name, request.uplink)
  const copies = await Promise.all(
    uplinks.map(async (uplink) => ({ uplink, copy: await store.newest(uplink.name, name) })),
  )
  const served = copies.find(({ copy }) => copy !== undefined)
  if (served?.copy === undefined) {
    return { lines: [`nothing is kept of \`${name}\`, so there is no conflict`], outcome: 'none' }
  }
  const { uplink, copy } = served
  const found = await compareWithUplink(uplink, name, copy, new Date())
  const lines = [`copy of ${copy.fetchedAt}, uplink \`${uplink.name}\` now:`, ...render(found)]
  if (found.kind === 'follows') return { lines, outcome: 'none' }
  if (!request.yes) {
    return {
      lines: [...lines, 'the copy goes on being served; accept the new file with `--yes`'],
      outcome: 'open',
    }
  }
  const kept = createCatalogue({
    storage: bench.storage,
    logger,
    monotonic: () => performance.now(),
    root: KEPT_CATALOGUE,
  })
  await acceptCopy({ store, kept }, uplink.name, name, found.next)
  await kept.close()
  return {
    lines: [...lines, 'accepted: a running server takes it over when it next renews the file'],
    outcome: 'accepted',
  }
}

async function uplinksOf({ log, upstream, rules }: Workbench, name: CrateName, wanted: string | undefined) {
  if ((await log.read(name)).record !== undefined) {
    throw new Mistake(`crate \`${name}\` was published here: no uplink is asked for it`)
  }
  const uplinks = upstream.proxied.uplinksOf(name)
  const found = wanted === undefined ? uplinks : uplinks.filter((uplink) => uplink.name === wanted)
  if (found.length > 0) return found
  const rule = rules.ruleFor(name)
  const by = rule === undefined ? 'no rule applies to' : `rule \`${rule.glob}\` asks`
  const whom = wanted === undefined ? 'no uplink' : `not uplink \`${wanted}\``
  throw new Mistake(rule === undefined ? `${by} \`${name}\`` : `${by} ${whom} for \`${name}\``)
}

function render(found: Comparison): string[] {
  const lines = renderDifference(found.difference)
  if (found.kind === 'conflict') return [...lines, `conflict: ${found.detail}`]
  return [
    ...lines,
    lines.length === 0 ? 'no difference' : 'no conflict: servers take this over by themselves',
  ]
}

function renderDifference(difference: IndexDifference): string[] {
  const { appeared, vanished, changed, yanked, unyanked, edited } = difference
  const each = (what: string, versions: readonly string[]) => versions.map((vers) => `  ${what} ${vers}`)
  return [
    ...each('appeared', appeared),
    ...each('vanished', vanished),
    ...changed.map(({ vers, was, is }) => `  checksum ${vers}: was ${was}, is ${is}`),
    ...each('yanked', yanked),
    ...each('unyanked', unyanked),
    ...each('edited', edited),
  ]
}
