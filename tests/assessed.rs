//! The demo lake, assessed once for every test that looks at it.

use leanlake::demo::{self, DemoOptions};
use leanlake::policy::Library;
use leanlake::portfolio::{Assessment, Settings, assess};
use leanlake::prices::PriceBook;
use leanlake::store::{Filter, Store};
use tokio::sync::OnceCell;

/// Returns the assessment of the demo lake's newest snapshot.
pub async fn demo() -> &'static Assessment {
    static DEMO: OnceCell<Assessment> = OnceCell::const_new();
    DEMO.get_or_init(assess_demo).await
}

async fn assess_demo() -> Assessment {
    let store = Store::temporary().unwrap();
    demo::fill(&DemoOptions::default()).write(&store).await.unwrap();
    let snapshot = store.newest(&Filter::default()).await.unwrap();
    let previous = store.previous(&snapshot).await.unwrap();
    let (library, book) = (Library::built_in().unwrap(), PriceBook::embedded().unwrap());
    assess(&snapshot, previous.as_ref(), &library, &book, &Settings::default()).await.unwrap()
}
