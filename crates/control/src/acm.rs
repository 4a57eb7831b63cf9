//! ACM: the registry of its operations. Certificates are imported, for listeners that end TLS; none is issued.

mod describe;
mod find;
mod import;
mod list;
mod manage;
mod read;

use linkway_wire::acm::*;

use crate::registry::operations;

operations! {
    Acm {
        import_certificate(ImportCertificateRequest) -> ImportCertificateResponse = import::import;
        describe_certificate(DescribeCertificateRequest) -> DescribeCertificateResponse = describe::describe;
        get_certificate(GetCertificateRequest) -> GetCertificateResponse = describe::get;
        list_certificates(ListCertificatesRequest) -> ListCertificatesResponse = list::list;
        delete_certificate(DeleteCertificateRequest) -> () = manage::delete;
        add_tags_to_certificate(AddTagsToCertificateRequest) -> () = manage::add_tags;
        remove_tags_from_certificate(RemoveTagsFromCertificateRequest) -> () = manage::remove_tags;
        list_tags_for_certificate(ListTagsForCertificateRequest) -> ListTagsForCertificateResponse = manage::list_tags;
    }
}
