import type { Writable } from 'node:stream'
import type { ObjectStore } from '../host.ts'
import { type DeadLetter, listDeadLetters, redeliver } from '../webhooks/dead-letters.ts'
import { type Delivery, parseDeadKey, receiverOf } from '../webhooks/delivery.ts'
import type { Config } from './config.ts'
import type { ConfigSources } from './config-sources.ts'
import { Mistake } from './mistake.ts'
import { withStore } from './with-store.ts'

export interface WebhookOutput {
  readonly out: Writable
  readonly err: Writable
}

/**
 * `webhooks list-dead`: a line for each event that a webhook never took, or JSON.
 * @throws {ConfigError | Mistake}
 */
export async function listDead(
  sources: ConfigSources,
  { json }: { readonly json: boolean },
  { out, err }: WebhookOutput,
): Promise<void> {
  await withStore(sources, async (store) => {
    const shown: Delivery[] = []
    for await (const { key, delivery } of listDeadLetters(store)) {
      if (delivery === undefined) err.write(`\`${key}\` is damaged\n`)
      else if (json) shown.push(delivery)
      else out.write(`${describe(delivery)}\n`)
    }
    if (json) out.write(`${JSON.stringify(shown, undefined, 2)}\n`)
  })
}

/**
 * `webhooks redeliver`: makes the events with the ids, or all, pending again; a running server sends them soon.
 * @throws {ConfigError | Mistake} also for an id that is none, or whose webhook is not configured, after the others
 */
export async function redeliverDead(
  sources: ConfigSources,
  { ids, all }: { readonly ids: readonly string[]; readonly all: boolean },
  { out }: Pick<WebhookOutput, 'out'>,
): Promise<void> {
  if (all === ids.length > 0) throw new Mistake('which events? give ids, or `--all`')
  const problems = await withStore(sources, async (store, config) => {
    const receivers = receiversOf(config)
    const letters = await lettersOf(store, all ? undefined : new Set(ids))
    const missing = ids.filter((id) => !letters.some(({ key }) => parseDeadKey(key) === id))
    const problems = missing.map((id) => `there is no dead letter \`${id}\``)
    for (const { key, delivery } of letters) {
      if (delivery === undefined) problems.push(`\`${key}\` is damaged`)
      else if (receivers?.has(delivery.receiver) === false)
        problems.push(
          `\`${delivery.id}\` was for a webhook at \`${delivery.to}\` that is not configured any more`,
        )
      else {
        await redeliver(store, { key, delivery }, new Date())
        out.write(`${delivery.id} is pending again\n`)
      }
    }
    return problems
  })
  if (problems.length > 0) throw new Mistake(problems.join('; '))
}

/** The dead letters with these ids; `undefined`: all. */
async function lettersOf(
  store: ObjectStore,
  ids: ReadonlySet<string> | undefined,
): Promise<readonly DeadLetter[]> {
  const letters: DeadLetter[] = []
  for await (const letter of listDeadLetters(store))
    if (ids === undefined || ids.has(parseDeadKey(letter.key) ?? '')) letters.push(letter)
  return letters
}

/** The configured ones; `undefined` when they are not in these settings, but in a host's own. */
function receiversOf({ cargo: { webhooks } }: Config): ReadonlySet<string> | undefined {
  return webhooks && new Set(webhooks.map(({ url }) => receiverOf(url)))
}

function describe({ id, to, event: { kind, crate, version, by, at }, attempts, error }: Delivery): string {
  const what = `${kind} ${version === undefined ? crate : `${crate}@${version}`}`
  const who = by === undefined ? '' : ` by ${by}`
  const tried = attempts === 1 ? '1 attempt' : `${attempts} attempts`
  return [id, to, `${what}${who} at ${at}`, tried, error ?? ''].join('  ')
}
