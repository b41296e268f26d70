import { spawn } from 'node:child_process'

const TIMEOUT_MS = 120_000

export interface Dialogue {
  readonly cwd: string
  readonly env: Readonly<Record<string, string | undefined>>
  /** What is typed when the text appears, in this order; it may come from what was printed before. */
  readonly answers: readonly (readonly [prompt: string, answer: string | ((printed: string) => string)])[]
}

/** Runs a command that asks a person at a terminal; what it printed. */
export function converse(command: readonly string[], { cwd, env, answers }: Dialogue): Promise<string> {
  const line = command.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(' ')
  const args = ['--quiet', '--return', '--command', line, '/dev/null']
  const child = spawn('script', args, { cwd, env: { ...process.env, ...env }, timeout: TIMEOUT_MS })
  const waiting = [...answers]
  let [printed, read] = ['', 0]
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    printed += text
    const [prompt, answer] = waiting[0] ?? []
    const at = prompt === undefined ? -1 : printed.indexOf(prompt, read)
    if (prompt === undefined || at === -1) return
    read = at + prompt.length
    waiting.shift()
    child.stdin.write(`${typeof answer === 'string' ? answer : answer?.(printed)}\r`)
  })
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => {
      if (code === 0) resolve(printed)
      else
        reject(
          new Error(`${command.join(' ')} ended with ${code}, waiting for ${waiting[0]?.[0]}:\n${printed}`),
        )
    })
  })
}
