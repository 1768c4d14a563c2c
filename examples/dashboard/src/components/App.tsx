// The screen: the application on the left, the connection that keeps it fresh on the right.
import { useEffect, useState } from 'react';
import { useSSEEvent, useSSEStatus } from 'tinysse/react';
import { log } from '../log';
import { useSession } from '../session';
import { sse } from '../sse';
import { Compute } from './Compute';
import { FailedBanner } from './FailedBanner';
import { NoticeBar } from './NoticeBar';
import { Progress } from './Progress';
import { Projects } from './Projects';
import { SignIn } from './SignIn';
import { TopBar } from './TopBar';
import { Wire } from './Wire';

/** One screen: what the app's user sees on the left, the wire that keeps it fresh on the right. */
export function App() {
  const session = useSession();
  const refused = useSSEStatus((s) => s.status === 'failed' && s.error?.code === 'unauthorized');
  const [asked, setAsked] = useState(false);
  const strip = asked || refused || session.data === null || session.isError;

  useSSEEvent('*', (update) => log.update(update));
  useEffect(() => sse.onResync((resync) => log.resync(resync)), []);

  return (
    <>
      <TopBar person={session.data ?? null} signInOpen={strip} onSignIn={() => setAsked(!asked)} />
      <FailedBanner />
      {strip && <SignIn person={session.data ?? null} error={session.error} onDone={() => setAsked(false)} />}
      <div className="split">
        <main className="app">
          <Progress />
          <Projects />
          <Compute />
        </main>
        <Wire />
      </div>
      <NoticeBar />
    </>
  );
}
