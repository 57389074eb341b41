// SPDX-License-Identifier: MIT
//
// Where the regions of the large cloud providers stand, as the Electricity Maps zone that carries their load. The places
// are the providers' own statements:
//   AWS    docs.aws.amazon.com/global-infrastructure (regions)
//   Azure  learn.microsoft.com/azure/reliability/regions-list
//   GCP    cloud.google.com/about/locations
// Which zone a place lies in is geography, except within the United States, where the grid operator of the place stands.
// These are judgements that a report's zone lets a reader object to: us-west-2, us-gov-west-1 and GCP's us-west1 (Oregon)
// as BPAT; westus2 (Quincy) as Grant County's utility; westus3 (Phoenix) as APS; westcentralus (Cheyenne) as WACM; us-west2
// (Los Angeles) as LADWP; northcentralus (Chicago) as PJM.

const REGIONS: Readonly<Record<string, string>> = {
  aws: `
    us-east-1=US-MIDA-PJM us-east-2=US-MIDA-PJM us-west-1=US-CAL-CISO us-west-2=US-NW-BPAT
    us-gov-east-1=US-MIDA-PJM us-gov-west-1=US-NW-BPAT ca-central-1=CA-QC ca-west-1=CA-AB mx-central-1=MX
    sa-east-1=BR-CS eu-west-1=IE eu-west-2=GB eu-west-3=FR eu-central-1=DE eu-central-2=CH eu-north-1=SE-SE3
    eu-south-1=IT-NO eu-south-2=ES af-south-1=ZA me-south-1=BH me-central-1=AE il-central-1=IL ap-east-1=HK
    ap-east-2=TW ap-south-1=IN-WE ap-south-2=IN-SO ap-southeast-1=SG ap-southeast-2=AU-NSW ap-southeast-3=ID
    ap-southeast-4=AU-VIC ap-southeast-5=MY-WM ap-southeast-6=NZ ap-southeast-7=TH ap-northeast-1=JP-TK
    ap-northeast-2=KR ap-northeast-3=JP-KN cn-north-1=CN cn-northwest-1=CN`,
  azure: `
    eastus=US-MIDA-PJM eastus2=US-MIDA-PJM eastus3=US-SE-SOCO centralus=US-MIDW-MISO
    northcentralus=US-MIDA-PJM southcentralus=US-TEX-ERCO westcentralus=US-NW-WACM westus=US-CAL-CISO
    westus2=US-NW-GCPD westus3=US-SW-AZPS canadacentral=CA-ON canadaeast=CA-QC mexicocentral=MX
    brazilsouth=BR-CS chilecentral=CL-SEN northeurope=IE westeurope=NL uksouth=GB ukwest=GB francecentral=FR
    francesouth=FR germanywestcentral=DE germanynorth=DE switzerlandnorth=CH switzerlandwest=CH
    norwayeast=NO-NO1 norwaywest=NO-NO2 swedencentral=SE-SE3 polandcentral=PL italynorth=IT-NO
    spaincentral=ES austriaeast=AT belgiumcentral=BE denmarkeast=DK-DK2 greececentral=GR southafricanorth=ZA
    southafricawest=ZA uaenorth=AE uaecentral=AE qatarcentral=QA israelcentral=IL eastasia=HK
    southeastasia=SG japaneast=JP-TK japanwest=JP-KN koreacentral=KR koreasouth=KR centralindia=IN-WE
    southindia=IN-SO westindia=IN-WE australiaeast=AU-NSW australiasoutheast=AU-VIC australiacentral=AU-NSW
    indonesiacentral=ID malaysiawest=MY-WM newzealandnorth=NZ taiwannorth=TW`,
  gcp: `
    us-central1=US-MIDW-MISO us-central2=US-CENT-SWPP us-east1=US-CAR-SC us-east2=US-SE-SOCO
    us-east4=US-MIDA-PJM us-east5=US-MIDA-PJM us-south1=US-TEX-ERCO us-west1=US-NW-BPAT us-west2=US-CAL-LDWP
    us-west3=US-NW-PACE us-west4=US-NW-NEVP northamerica-northeast1=CA-QC northamerica-northeast2=CA-ON
    northamerica-south1=MX southamerica-east1=BR-CS southamerica-west1=CL-SEN europe-north1=FI
    europe-north2=SE-SE3 europe-central2=PL europe-southwest1=ES europe-west1=BE europe-west2=GB
    europe-west3=DE europe-west4=NL europe-west6=CH europe-west8=IT-NO europe-west9=FR europe-west10=DE
    europe-west12=IT-NO africa-south1=ZA me-central1=QA me-central2=SA me-west1=IL asia-east1=TW
    asia-east2=HK asia-northeast1=JP-TK asia-northeast2=JP-KN asia-northeast3=KR asia-south1=IN-WE
    asia-south2=IN-NO asia-southeast1=SG asia-southeast2=ID asia-southeast3=TH australia-southeast1=AU-NSW
    australia-southeast2=AU-VIC`,
};

/** Names that providers go by, in cloud-init and with people, to the names of this table. */
const PROVIDERS: Readonly<Record<string, string>> = {
  aws: 'aws',
  amazon: 'aws',
  ec2: 'aws',
  gcp: 'gcp',
  gce: 'gcp',
  google: 'gcp',
  azure: 'azure',
  microsoft: 'azure',
};

/** `aws`, `gcp` or `azure` by any of their common names; other providers as they are, in lower case. */
export function providerName(text: string): string {
  const name = text.trim().toLowerCase();
  return (Object.hasOwn(PROVIDERS, name) ? PROVIDERS[name] : undefined) ?? name;
}

/** A provider's region as it writes it itself: Azure's `West Europe` is `westeurope`. */
export function regionName(provider: string, text: string): string {
  const name = text.trim().toLowerCase();
  return providerName(provider) === 'azure' ? name.replace(/[\s-]/g, '') : name;
}

/** The regions of a provider and their zones; empty for a provider that is not in the table. */
export function regionsOf(provider: string): ReadonlyMap<string, string> {
  const name = providerName(provider);
  const rows = Object.hasOwn(REGIONS, name) ? (REGIONS[name] ?? '') : '';
  return new Map(
    rows
      .trim()
      .split(/\s+/)
      .filter((row) => row !== '')
      .map((row) => row.split('=') as [string, string]),
  );
}

/** The Electricity Maps zone of a provider's region, or undefined. Its first two letters are the country's. */
export function zoneOfCloudRegion(provider: string, region: string): string | undefined {
  return regionsOf(provider).get(regionName(provider, region));
}
