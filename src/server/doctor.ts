import type { Writable } from 'node:stream'
import { type Options, parseOptions } from '../options.ts'
import { checkUplink, problemOf, type UplinkCheck } from '../registry/upstream/uplink-check.ts'
import type { Config } from './config.ts'
import { type ConfigSources, loadConfig } from './config-sources.ts'
import { type Outcome, type Outcomes, ok, renderMs, skipped, wrong } from './doctor-outcome.ts'
import { checkPublish } from './doctor-publish.ts'
import { checkRedis } from './doctor-redis.ts'
import { checkConfigured } from './doctor-storage.ts'
import { isTrusted } from './doctor-tls.ts'
import { checkUrl, findUnreachable, type UrlTarget } from './doctor-url.ts'
import { checkWebhook } from './doctor-webhook.ts'
import { TOKEN_VARIABLE } from './environment.ts'
import { pluginOptions } from './plugin-options.ts'
import { registryUrl } from './public-url.ts'
import { reasonOf } from './reason.ts'
import { type OpenStorage, openStorage } from './storage.ts'
import { readKeyPair } from './tls.ts'
import { openUsers } from './users.ts'

export interface DoctorRequest {
  /** Whether a crate may be published, for a try. */
  readonly write: boolean
  /** The registry's URL, mount included; default: by the settings. */
  readonly url: string | undefined
}

interface Settings {
  readonly config: Config
  readonly options: Options
  readonly storage: OpenStorage
}

/**
 * The `doctor` command: tells on `out`, a line each, what is well and what is not, and what to do about it; whether all
 * is well. No line holds a secret.
 */
export async function examine(
  { environment: all, ...sources }: ConfigSources,
  request: DoctorRequest,
  out: Writable,
): Promise<boolean> {
  const { [TOKEN_VARIABLE]: token, ...environment } = all
  let problems = 0
  const tell = (part: string, outcome: Outcome) => {
    if (outcome.status === 'wrong') problems += 1
    out.write(`${render(part, outcome)}\n`)
  }
  async function run(part: string, outcomes: Outcomes): Promise<void> {
    try {
      for await (const outcome of outcomes) tell(part, outcome)
    } catch (error) {
      tell(part, wrong(reasonOf(error), 'look at the lines before, and at the log of the server'))
    }
  }
  try {
    const settings = await loadSettings({ ...sources, environment })
    tell('settings', ok('can be used'))
    await run(
      'storage',
      checkConfigured(settings.config.storage, settings.storage, () => new Date()),
    )
    await settings.storage.close()
    if (settings.config.redis !== undefined) await run('redis', checkRedis(settings.config.redis))
    for (const name of Object.keys(settings.options.uplinks))
      await run(`uplink ${name}`, uplinkOutcomes(name, settings.options))
    for (const [n, hook] of settings.options.webhooks.entries())
      await run(`webhook ${new URL(hook.url).origin}`, checkWebhook(hook, n, request.write))
    await run('url', urlOutcomes(settings, request, token || undefined))
  } catch (error) {
    tell('settings', wrong(reasonOf(error), 'correct it; the README lists all settings'))
  }
  out.write(problems === 0 ? 'all is well\n' : `${problems} ${problems === 1 ? 'problem' : 'problems'}\n`)
  return problems === 0
}

/** All that a start of the server would read. */
async function loadSettings(sources: ConfigSources): Promise<Settings> {
  const config = await loadConfig(sources)
  const options = parseOptions(pluginOptions(config, sources.environment))
  if (config.tls !== undefined) await readKeyPair(config.tls)
  const storage = await openStorage(config.storage, sources)
  await openUsers(config.auth, sources.environment, storage.store)
  return { config, options, storage }
}

async function* uplinkOutcomes(name: string, options: Options): Outcomes {
  if (options.offline) {
    yield skipped('not asked: `offline` is set')
    return
  }
  try {
    const check = await checkUplink(name, options)
    const { took, versions, hasAuth } = check
    const auth = hasAuth ? ', with its credential' : ''
    const found = versions === 0 ? 'no `serde`' : `\`serde\` with ${versions} versions`
    yield ok(`has ${found}, within ${renderMs(took)}${auth}`)
    yield moreOutcome(check)
  } catch (error) {
    yield wrong(
      problemOf(error),
      'look at `url`, `auth`, `ca` and the proxy of this uplink, and at the firewall; what is kept is served meanwhile',
    )
  }
}

/** Its files rest on `config.json`; a registry without a search is a whole one. */
function moreOutcome({ problem, search }: UplinkCheck): Outcome {
  if (problem !== undefined) return wrong(problem, 'without its config.json, no files come from it')
  if (search?.kind === 'unusable')
    return wrong(search.problem, 'without its search, only local and kept crates are found')
  if (search?.kind !== 'none') return ok('its config.json and its search can be used')
  const where = search.absent === undefined ? '' : ` (nothing is at \`${search.absent}\`)`
  return ok(`its config.json can be used; it has no search: only local and kept crates are found${where}`)
}

async function* urlOutcomes(
  { config, options }: Settings,
  request: DoctorRequest,
  token: string | undefined,
): Outcomes {
  const base = (request.url ?? registryUrl(config, options))
    .trim()
    .replace(/^sparse\+/i, '')
    .replace(/\/+$/, '')
  if (!/^https?:$/.test(URL.parse(base)?.protocol ?? '')) {
    yield wrong(
      '`--url` is no http or https URL',
      'give it as cargo has it, such as `https://crates.example/cargo/`',
    )
    return
  }
  const unreachable = await findUnreachable(base)
  if (unreachable !== undefined) {
    yield unreachable
    return
  }
  const mayHaveToken = base.startsWith('http:') || (await isTrusted(new URL(base)))
  const target: UrlTarget = {
    ...{ base, maxCrate: options.limits.crate, now: () => new Date() },
    token: mayHaveToken ? token : undefined,
  }
  yield* checkUrl(target)
  if (request.write) yield* writeOutcomes(target, token)
}

async function* writeOutcomes(target: UrlTarget, given: string | undefined): Outcomes {
  const { token } = target
  if (token !== undefined) yield* checkPublish({ ...target, token })
  else if (given === undefined)
    yield wrong(
      'nothing is published without a token',
      `set ${TOKEN_VARIABLE} to one of a user who may publish`,
    )
  else yield wrong('the token is not sent to who has no trusted certificate', 'see above')
}

function render(part: string, { status, text, remedy }: Outcome): string {
  return `${status.padEnd(7)} ${part}: ${text}${remedy === undefined ? '' : `: ${remedy}`}`
}
