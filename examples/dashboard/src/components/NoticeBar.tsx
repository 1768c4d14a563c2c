// The bar that shows what did not work, once.
import { useSyncExternalStore } from 'react';
import { hush, notices } from '../notice';
import { Icon } from './Icon';

/** What did not work, shown once; it disappears by itself. The region is always present, or a screen reader would not notice it. */
export function NoticeBar() {
  const notice = useSyncExternalStore(notices.subscribe, notices.get);
  return (
    <div className="notice-region" role="status">
      {notice && (
        <p className="notice" key={notice.n} data-testid="notice">
          {notice.text}
          <button type="button" className="quiet icon-button" aria-label="Dismiss" onClick={hush}>
            <Icon name="close" />
          </button>
        </p>
      )}
    </div>
  );
}
