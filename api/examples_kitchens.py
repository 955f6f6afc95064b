"""What kitchens and menus look like in the OpenAPI document: the seeds' golden kitchen."""

from api.examples import Example

_CHEF = "0198c0de-0000-7000-8000-000000000001"
_PICTURES = "/api/v1/pictures/0198c0de-0000-7000-8000-000000000001"
_DIGEST = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"

HOURS: Example = {
    "monday": {"open": "08:00", "close": "21:00"},
    "friday": {"open": "17:00", "close": "02:00"},
}
EXCEPTIONS: Example = {
    "2026-12-25": None,
    "2026-12-31": {"open": "10:00", "close": "14:00"},
}

CHEF: Example = {
    "id": _CHEF,
    "businessName": "Meena's Kitchen",
    "description": "South Indian home cooking: dosas, idlis and curries as in Chennai.",
    "cuisineTypes": ["South Indian", "Tamil"],
    "specialties": ["Masala dosa"],
    "address": "123 Main St, Austin, TX 78701",
    "latitude": 30.2672,
    "longitude": -97.7431,
    "serviceRadiusKm": 10.0,
    "rating": 4.9,
    "ratingCount": 212,
    "isOnline": True,
    "acceptingOrders": True,
    "isOpen": True,
    "opensAt": None,
    "minimumOrderCents": 0,
    "prepMinutes": 20,
    "timezone": "America/Chicago",
    "operatingHours": HOURS,
    "hoursExceptions": EXCEPTIONS,
    "profileImageUrl": f"{_PICTURES}/{_DIGEST}.jpg",
    "bannerImageUrl": None,
    "kitchenImageUrls": [],
}

CHOICE: Example = {
    "id": "0198c0de-0000-7000-8000-0000000000b7",
    "name": "Chutney",
    "minChoices": 1,
    "maxChoices": 2,
    "isRequired": True,
    "options": [
        {
            "id": "0198c0de-0000-7000-8000-0000000000b8",
            "name": "Coconut",
            "priceCents": 0,
            "isAvailable": True,
        },
        {
            "id": "0198c0de-0000-7000-8000-0000000000b9",
            "name": "Gunpowder",
            "priceCents": 150,
            "isAvailable": True,
        },
    ],
}

MENU_ITEM: Example = {
    "id": "0198c0de-0000-7000-8000-0000000000a1",
    "name": "Masala Dosa",
    "description": "",
    "category": "main",
    "priceCents": 1000,
    "prepTimeMinutes": 15,
    "dietaryTags": ["vegetarian"],
    "imageUrl": None,
    "isAvailable": True,
    "stockLeft": 3,
    "optionGroups": [CHOICE],
}

MENU: Example = {
    "id": "0198c0de-0000-7000-8000-0000000000b1",
    "name": "Today",
    "description": "",
    "items": [MENU_ITEM],
}

CHEF_DOCUMENT: Example = {
    "id": "0198c0de-0000-7000-8000-0000000000d9",
    "type": "food_license",
    "fileUrl": "/api/v1/files/eyJrIjoia2l0Y2hlbnMvMDE5OGMwZGUi.9f86d081",
    "fileUrlExpiresAt": "2026-01-31T18:15:00Z",
    "contentType": "application/pdf",
    "bytes": 184320,
    "expiresOn": "2029-06-30",
    "status": "approved",
    "reason": None,
    "decidedAt": "2025-11-04T10:00:00Z",
    "createdAt": "2025-11-03T09:20:00Z",
}

KITCHEN: Example = {
    **CHEF,
    "userId": "0198c0de-0000-7000-8000-0000000000c2",
    "firstName": "Meena",
    "lastName": "Raman",
    "email": "chef@example.com",
    "phone": None,
    "market": "austin",
    "capacity": 6,
    "totalOrders": 1204,
    "canBePaid": True,
    "verificationStatus": "approved",
    "verificationReason": "all documents seen",
    "verifiedAt": "2025-11-04T10:05:00Z",
    "createdAt": "2025-11-03T09:12:40Z",
}

KITCHEN_PROFILE: Example = {**KITCHEN, "missingDocuments": [], "documents": [CHEF_DOCUMENT]}

CHEF_MENU_ITEM: Example = {
    "id": "0198c0de-0000-7000-8000-0000000000a1",
    "menuId": "0198c0de-0000-7000-8000-0000000000b1",
    "name": "Masala Dosa",
    "description": "",
    "category": "main",
    "priceCents": 1000,
    "prepTimeMinutes": 15,
    "dietaryTags": ["vegetarian"],
    "imageUrl": None,
    "isAvailable": True,
    "stock": 17,
    "position": 0,
    "optionGroups": [CHOICE],
    "createdAt": "2026-01-31T18:00:00Z",
}

CHEF_MENU: Example = {
    "id": "0198c0de-0000-7000-8000-0000000000b1",
    "name": "Today",
    "description": "",
    "isActive": True,
    "position": 0,
    "items": [CHEF_MENU_ITEM],
}

_FIGURES: Example = {
    "orders": 14,
    "delivered": 12,
    "cancelled": 2,
    "revenueCents": 28400,
    "earningCents": 24140,
    "acceptance": 0.93,
    "averagePromisedMinutes": 21.5,
    "averageRealMinutes": 24.0,
    "ratings": 5,
    "averageRating": 4.8,
}

KITCHEN_ANALYTICS: Example = {
    "begin": "2026-01-31",
    "end": "2026-01-31",
    "timezone": "America/Chicago",
    "currency": "usd",
    "total": _FIGURES,
    "days": [{"day": "2026-01-31", **_FIGURES}],
    "topItems": [
        {
            "menuItemId": "0198c0de-0000-7000-8000-0000000000a1",
            "name": "Masala Dosa",
            "portions": 19,
            "revenueCents": 19000,
        }
    ],
    "rating": 4.9,
    "ratingCount": 212,
}
