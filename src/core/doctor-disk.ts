/** What `berth doctor` says of the budget and of the days to come, from what a running server has measured. */
import type { Finding } from './doctor.ts';
import { bytesInWords } from './words.ts';

/** What of the usage of the disk it needs. */
export interface DiskFacts {
  readonly usedBytes: number;
  readonly budgetBytes: number;
  readonly roomBytes: number;
  readonly forecast: { readonly because: string; readonly days?: number | undefined };
}

/** Sooner than this somebody should know. */
const SOON_DAYS = 14;
/** Of the budget. */
const NEARLY = 0.85;

export function diskFinding({ usedBytes, budgetBytes, roomBytes, forecast }: DiskFacts): Finding {
  const about = 'budget';
  const what = `${bytesInWords(usedBytes)} of ${bytesInWords(budgetBytes)} used, ${forecast.because}`;
  if (roomBytes <= 0) {
    const advice =
      'Builds are refused: berth gc cleans up, berth usage --disk shows what takes the room, berth rm removes deployments.';
    return { level: 'problem', about, what, do: advice };
  }
  const isSoon = forecast.days !== undefined && forecast.days < SOON_DAYS;
  if (isSoon || usedBytes > budgetBytes * NEARLY) {
    const advice =
      'berth usage --disk shows what takes the room; a shorter --preview-ttl keeps less.';
    return { level: 'note', about, what, do: advice };
  }
  return { level: 'ok', about, what };
}
