// The application in React's StrictMode. `?close`: a component closes the client when it is
// unmounted, as a careful author might.
import { StrictMode, useEffect, useState } from 'react';
import { createRoot } from 'react-dom/client';
import { SSEProvider, useSSEEvent, useSSEStatus } from 'tinysse/react';
import { type Delivery, received, sse } from './app';

const query = new URLSearchParams(location.search);

function Status() {
  const status = useSSEStatus((snapshot) => snapshot.status);
  return <p data-testid="status">{status}</p>;
}

/**
 * What a client delivers to the page is over when it is closed, so this page subscribes where it is
 * mounted again.
 */
function Closing() {
  useEffect(() => () => sse.close(), []);
  useSSEEvent('private', ({ data }) => received(data as Delivery));
  return null;
}

function App() {
  const [user, setUser] = useState<string | null>(null);
  useEffect(() => {
    window.signIn = setUser;
  }, []);
  // Without `?session` the provider knows nothing of users: it asks for a token as soon as it is
  // mounted.
  const given = query.has('session') ? { user } : user === null ? {} : { user };
  return (
    <SSEProvider client={sse} {...given}>
      {query.has('close') && <Closing />}
      <Status />
    </SSEProvider>
  );
}

declare global {
  interface Window {
    signIn(user: string | null): void;
  }
}

const root = document.createElement('div');
document.body.append(root);
createRoot(root).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
