import type { Explanation } from '../../protocol/explanation.ts'
import { type Html, html } from './html.ts'
import { prose } from './prose.ts'
import { day } from './written.ts'

/** Where a crate comes from, and why its version is or is not served. */
export function origin({ explanation, source, rule, uplink, proxy, copy, verdict }: Explanation): Html {
  const facts = [
    fact('Source', source === 'local' ? 'this registry' : html`uplink <code>${uplink}</code>`),
    fact('Rule', rule === undefined ? 'none applies' : html`<code>${rule}</code>`),
    ...proxy.map((one) =>
      fact(
        'Uplink',
        html`<code>${one.name}</code>: ${one.asked ? 'is asked' : 'is left alone for a while'}${
          one.last_error !== undefined &&
          html`; last failure at ${moment(one.last_error.at)}: ${prose(one.last_error.message)}`
        }`,
      ),
    ),
    copy &&
      fact(
        'Index file',
        html`fetched ${moment(copy.fetched_at)}, confirmed ${copy.age} s ago, ${copy.stale ? 'to be renewed' : 'fresh'}${
          copy.problem !== undefined && html`; no newer one: ${prose(copy.problem)}`
        }`,
      ),
    verdict &&
      fact(
        'This version',
        html`${verdict.served ? (verdict.yanked ? 'served as yanked' : 'served') : 'not served'}; its file is ${verdict.stored ? '' : 'not '}stored here`,
      ),
    verdict?.until !== undefined && fact('Held back until', moment(verdict.until)),
  ]
  return html`<p>${prose(explanation)}</p>
<details><summary>In detail</summary><dl class="features">${facts}</dl></details>`
}

function fact(name: string, value: Html | string): Html {
  return html`<dt>${name}</dt><dd>${value}</dd>\n`
}

function moment(time: string): Html {
  return html`${day(time)} ${time.slice(11, 16)} UTC`
}
