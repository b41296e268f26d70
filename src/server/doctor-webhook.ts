import type { WebhookOptions } from '../options.ts'
import { createMessageId } from '../webhooks/delivery.ts'
import { renderPing } from '../webhooks/payload.ts'
import { createSender } from '../webhooks/sender.ts'
import { type Outcomes, ok, renderMs, skipped, wrong } from './doctor-outcome.ts'

/** Sends a signed `ping` to the webhook of the options at `webhooks.<n>`, when something may be written. */
export async function* checkWebhook(options: WebhookOptions, n: number, write: boolean): Outcomes {
  if (!write) {
    yield skipped('not asked: `--write` sends it a signed `ping`')
    return
  }
  const now = () => new Date()
  const sender = createSender(options, `webhooks.${n}`, now)
  const before = performance.now()
  const attempt = await sender.send(createMessageId(now()), renderPing(now()))
  await sender.close(0)
  yield attempt.kind === 'delivered'
    ? ok(`takes a signed \`ping\`, within ${renderMs(performance.now() - before)}`)
    : wrong(
        `to a signed \`ping\` it ${attempt.error}`,
        'look at `url`, `secret`, `ca` and the proxy of this webhook; events are kept and tried again for a day',
      )
}
