// <map-store>

// <map-store-kit>
