// One row of the log: an update, a resync or a change of status.
import { memo } from 'react';
import type { ResyncRow, Row, UpdateRow } from '../log';
import { sse } from '../sse';
import { clock } from '../time';

const GAPS: Record<ResyncRow['gap'], string> = {
  first: 'first connection, so everything was fetched',
  epoch: 'the log began anew, refetched',
  trimmed: 'the log no longer reaches back that far, refetched',
  unknown: 'the hub does not know the cursor, refetched',
  overflow: 'too much at once, refetched',
  rights: 'rights changed, refetched',
};

/** One event. Memoised: rows never change, and two hundred of them see every push. */
export const LogRow = memo(function LogRow({ row }: { row: Row }) {
  return row.kind === 'update' ? <UpdateEvent row={row} /> : <ResyncEvent row={row} />;
});

function UpdateEvent({ row }: { row: UpdateRow }) {
  const dot = Math.max(0, row.id.lastIndexOf('.'));
  const origin = whose(row.origin);
  return (
    <tr
      data-testid="log-row"
      data-kind="update"
      data-id={row.id}
      data-type={row.type}
      data-replayed={row.replayed}
      data-origin={origin}
    >
      <Time at={row.at} />
      <td className="log-id" title={row.id}>
        <span className="id">
          <span className="epoch">{row.id.slice(0, dot)}</span>
          <span className="seq">{row.id.slice(dot)}</span>
        </span>
      </td>
      <td className="log-type">
        {row.type}
        {row.replayed && <span className="badge">replayed</span>}
      </td>
      <td className="log-origin" data-own={origin === 'this tab'}>
        {origin}
      </td>
      <td className="log-data" title={row.data}>
        {row.data}
      </td>
    </tr>
  );
}

function ResyncEvent({ row }: { row: ResyncRow }) {
  return (
    <tr className="log-resync" data-testid="log-row" data-kind="resync" data-gap={row.gap}>
      <Time at={row.at} />
      <td colSpan={4}>
        <span className={row.gap === 'first' ? 'badge badge-plain' : 'badge badge-warn'}>resync</span>{' '}
        <code>{row.gap}</code> {GAPS[row.gap]}
        {row.types && `: ${row.types.join(', ')}`}
      </td>
    </tr>
  );
}

function Time({ at }: { at: number }) {
  const text = clock(at);
  return (
    <td className="log-time">
      <time dateTime={new Date(at).toISOString()}>
        {text.slice(0, 8)}
        <span className="ms">{text.slice(8)}</span>
      </time>
    </td>
  );
}

/** Whose change: ours, another tab's by the first characters of its random name, or the server's own. */
function whose(origin: string | undefined): string {
  if (origin === undefined) return 'server';
  return origin === sse.origin ? 'this tab' : `tab ${origin.replace(/\W|_/g, '').slice(0, 4)}`;
}
