//! The installation's own regions.

use linkway_model::account_region::AccountRegion;
use linkway_model::dhcp_options::DhcpOptions;
use linkway_model::own_region::OwnRegion;
use linkway_model::service_backend::ServiceBackend;
use linkway_model::subnet::Subnet;
use linkway_model::{Resource, Snapshot};
use linkway_store::Transaction;

use crate::error::AdminError;
use crate::{Control, Error};

impl Control {
    /// Keep the regions that are given, in place of those of their names, forget those that are named, and return
    /// all that there are then. What resources are in has to stay. For the daemon's start, before it knows any.
    pub fn set_own_regions(
        &self,
        given: Vec<OwnRegion>,
        forgotten: &[String],
    ) -> Result<Vec<OwnRegion>, Error> {
        self.write(None, |tx| {
            for region in given {
                let before = tx.get::<OwnRegion>(&region.name).cloned();
                let gone = before
                    .iter()
                    .flat_map(|before| &before.zones)
                    .filter(|zone| !region.zones.contains(zone));
                for zone in gone {
                    if let Some(subnet) = tx.all::<Subnet>().find(|subnet| subnet.zone == *zone) {
                        let (kind, id) = (Subnet::KIND, subnet.id.to_string());
                        return Err(AdminError::PlaceInUse { place: zone.clone(), kind, id }.into());
                    }
                }
                if before.as_deref() != Some(&region) {
                    tx.put(region);
                }
            }
            for name in forgotten {
                forget(tx, name)?;
            }
            Ok(tx.all::<OwnRegion>().map(|region| OwnRegion::clone(region)).collect())
        })
    }
}

fn forget(tx: &mut Transaction, name: &str) -> Result<(), Error> {
    if tx.get::<OwnRegion>(name).is_none() {
        return Err(AdminError::NoOwnRegion(name.to_owned()).into());
    }
    // What every account has in a region is made again when it is asked for; nobody has to delete it first.
    for id in ids(tx, |options: &DhcpOptions| options.region == name && options.is_default) {
        tx.delete::<DhcpOptions>(id);
    }
    for key in ids(tx, |seen: &AccountRegion| seen.key.ends_with(&format!("/{name}"))) {
        tx.delete::<AccountRegion>(key);
    }
    let backend = tx.all::<ServiceBackend>().find(|set| set.service.split('.').any(|label| label == name));
    let backend = backend.map(|set| (ServiceBackend::KIND, set.service.clone()));
    if let Some((kind, id)) = tx.find_in_region(name).or(backend) {
        return Err(AdminError::PlaceInUse { place: name.to_owned(), kind, id }.into());
    }
    tx.delete::<OwnRegion>(name);
    Ok(())
}

fn ids<T: Resource>(state: &Snapshot, which: impl Fn(&T) -> bool) -> Vec<String> {
    state.all::<T>().filter(|document| which(document)).map(|document| document.id().to_owned()).collect()
}
