/** Milliseconds until the whole answer was there; throws unless it is 200 or 304. */
export async function timed(url: string, headers: Readonly<Record<string, string>> = {}): Promise<number> {
  const began = performance.now()
  const response = await fetch(url, { headers })
  await response.arrayBuffer()
  if (response.status !== 200 && response.status !== 304) throw new Error(`${url}: ${response.status}`)
  return performance.now() - began
}
