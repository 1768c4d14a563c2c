// The screen: the domains on the left, every update on the right.
import { trpc } from '../trpc';
import { EventLog } from './EventLog';
import { Compute, Gardener, Images, Projects } from './Lists';
import { Login } from './Login';
import { Online } from './Online';
import { Progress } from './Progress';
import { TopBar } from './TopBar';

export function App() {
  const me = trpc.authentication.me.useQuery();
  return (
    <>
      <TopBar />
      {me.data === null && <Login />}
      <div className="split">
        <main className="app">
          <Progress />
          <div className="domains">
            <Projects />
            <Compute />
            <Images />
            <Gardener />
          </div>
          <Online />
        </main>
        <aside className="wire" aria-label="Updates">
          <EventLog />
        </aside>
      </div>
    </>
  );
}
