//! CloudWatch's storage types, with the storage class, rate item and usage type of each.
//!
//! Sources: S3 User Guide, "Metrics and dimensions" (StorageType values) and "Understanding your AWS billing and
//! usage reports for Amazon S3" (usage types). Types that are not listed here are kept, without class and rate.

/// One value of the CloudWatch dimension `StorageType` of `BucketSizeBytes`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StorageType {
    /// CloudWatch's name.
    pub name: &'static str,
    /// Storage class as the S3 API names it.
    pub class: &'static str,
    /// Item of the price book that its bytes cost.
    pub item: &'static str,
    /// Usage type without its Region prefix.
    pub usage_type: &'static str,
}

const fn of(name: &'static str, class: &'static str, item: &'static str, usage_type: &'static str) -> StorageType {
    StorageType { name, class, item, usage_type }
}

/// Every storage type that has a class. `AllStorageTypes` has none.
pub const STORAGE_TYPES: &[StorageType] = &[
    of("StandardStorage", "STANDARD", "s3.storage.standard", "TimedStorage-ByteHrs"),
    of("IntelligentTieringFAStorage", "INTELLIGENT_TIERING", "s3.storage.int_frequent", "TimedStorage-INT-FA-ByteHrs"),
    of(
        "IntelligentTieringIAStorage",
        "INTELLIGENT_TIERING",
        "s3.storage.int_infrequent",
        "TimedStorage-INT-IA-ByteHrs",
    ),
    of(
        "IntelligentTieringAIAStorage",
        "INTELLIGENT_TIERING",
        "s3.storage.int_archive_instant",
        "TimedStorage-INT-AIA-ByteHrs",
    ),
    of("IntelligentTieringAAStorage", "INTELLIGENT_TIERING", "s3.storage.int_archive", "TimedStorage-INT-AA-ByteHrs"),
    of(
        "IntelligentTieringDAAStorage",
        "INTELLIGENT_TIERING",
        "s3.storage.int_deep_archive",
        "TimedStorage-INT-DAA-ByteHrs",
    ),
    of("StandardIAStorage", "STANDARD_IA", "s3.storage.standard_ia", "TimedStorage-SIA-ByteHrs"),
    of("StandardIASizeOverhead", "STANDARD_IA", "s3.storage.standard_ia", "TimedStorage-SIA-SmObjects"),
    of("StandardIAObjectOverhead", "STANDARD_IA", "s3.storage.standard_ia", "TimedStorage-SIA-ByteHrs"),
    of("OneZoneIAStorage", "ONEZONE_IA", "s3.storage.onezone_ia", "TimedStorage-ZIA-ByteHrs"),
    of("OneZoneIASizeOverhead", "ONEZONE_IA", "s3.storage.onezone_ia", "TimedStorage-ZIA-SmObjects"),
    of("GlacierInstantRetrievalStorage", "GLACIER_IR", "s3.storage.glacier_ir", "TimedStorage-GIR-ByteHrs"),
    of("GlacierIRSizeOverhead", "GLACIER_IR", "s3.storage.glacier_ir", "TimedStorage-GIR-SmObjects"),
    of("GlacierInstantRetrievalSizeOverhead", "GLACIER_IR", "s3.storage.glacier_ir", "TimedStorage-GIR-SmObjects"),
    of("GlacierStorage", "GLACIER", "s3.storage.glacier", "TimedStorage-GlacierByteHrs"),
    of("GlacierStagingStorage", "GLACIER", "s3.storage.glacier_staging", "TimedStorage-GlacierStaging"),
    of("GlacierObjectOverhead", "GLACIER", "s3.storage.glacier", "TimedStorage-GlacierByteHrs"),
    of("GlacierS3ObjectOverhead", "GLACIER", "s3.storage.standard", "TimedStorage-ByteHrs"),
    of("DeepArchiveStorage", "DEEP_ARCHIVE", "s3.storage.deep_archive", "TimedStorage-GDA-ByteHrs"),
    of("DeepArchiveStagingStorage", "DEEP_ARCHIVE", "s3.storage.standard", "TimedStorage-GDA-Staging"),
    of("DeepArchiveObjectOverhead", "DEEP_ARCHIVE", "s3.storage.deep_archive", "TimedStorage-GDA-ByteHrs"),
    of("DeepArchiveS3ObjectOverhead", "DEEP_ARCHIVE", "s3.storage.standard", "TimedStorage-ByteHrs"),
];

/// Returns the storage type that CloudWatch calls `name`.
pub fn find(name: &str) -> Option<&'static StorageType> {
    STORAGE_TYPES.iter().find(|known| known.name == name)
}
