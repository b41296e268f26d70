import type { Asked } from './matrix.ts'
import type { RawAnswer } from './raw-answer.ts'
import { PLAIN } from './spellings.ts'
import { ADMIN, OWNER } from './subjects.ts'
import type { World } from './world.ts'

/** Said of what is no request, is nowhere, or is not done there. */
const NOTHING: ReadonlySet<number> = new Set([400, 404, 405])
/** Read with the rights of the owner. */
const READERS: ReadonlySet<string> = new Set([OWNER, 'reader'])

/** Every request that got more than its plain spelling, or that shows somebody what is hidden, one phrase each. */
export function divergences(world: Pick<World, 'canaries'>, asked: readonly Asked[]): readonly string[] {
  const plain = new Map(asked.filter(({ title }) => title === PLAIN.title).map((it) => [it.group, it]))
  return asked.flatMap((one) => {
    const wanted = plain.get(one.group)?.answer
    if (wanted === undefined) throw new Error(`${one.group} was never asked plainly`)
    const seen = READERS.has(one.asker.name) ? undefined : shown(world, one.answer)
    // An administrator may be told of any crate, where the plain spelling tells.
    const isTold = one.asker.name === ADMIN && shown(world, wanted) !== undefined
    const problems = [
      ...(seen !== undefined && !isTold ? [`shows ${JSON.stringify(seen)}`] : []),
      ...(isAllowed(one, wanted) ? [] : [`is ${one.answer.status} instead of ${wanted.status}`]),
    ]
    return problems.length === 0 ? [] : [`${describe(one)} ${problems.join(' and ')}`]
  })
}

/** The first canary in an answer. */
export function shown({ canaries }: Pick<World, 'canaries'>, { head, body }: RawAnswer): string | undefined {
  return canaries.find((canary) => body.includes(canary) || head.includes(canary))
}

export function describe({ asker, title, request: { method, target } }: Asked): string {
  return `${asker.name}: ${method} ${target} (${title})`
}

function isAllowed({ asker, answer }: Asked, wanted: RawAnswer): boolean {
  if (classOf(answer.status) === classOf(wanted.status) || NOTHING.has(answer.status)) return true
  // Where a login is needed, it is needed whatever the path.
  return asker.credential === undefined && answer.status === 401
}

/** What is read counts as read: whole, in part, not again, or by the way to its own spelling. */
function classOf(status: number): string {
  return [200, 206, 301, 302, 303, 304, 307, 308, 416].includes(status) ? 'read' : String(status)
}
